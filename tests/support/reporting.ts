/** Beside what a person reads, the runner's own result as JSON where HOURGLASS_TEST_RESULTS says. */
export function reporting(): { reporters: string[]; outputFile?: { json: string } } {
  const file = process.env['HOURGLASS_TEST_RESULTS'];
  return file === undefined
    ? { reporters: ['default'] }
    : { reporters: ['default', 'json'], outputFile: { json: file } };
}
