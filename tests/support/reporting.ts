/**
 * Beside what a person reads, the runner's own result as JSON where HOURGLASS_TEST_RESULTS says.
 * @param part of a run that has several: `deep.json` becomes `deep-slow.json`
 */
export function reporting(part?: string): { reporters: string[]; outputFile?: { json: string } } {
  const file = process.env['HOURGLASS_TEST_RESULTS'];
  return file === undefined
    ? { reporters: ['default'] }
    : {
        reporters: ['default', 'json'],
        outputFile: { json: part === undefined ? file : file.replace(/\.json$/, `-${part}.json`) },
      };
}
