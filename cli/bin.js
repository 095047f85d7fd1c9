#!/usr/bin/env node
// Starts the command line: the sources are TypeScript, run as they are. Without the packages it can only say what to type.
try {
  const { register } = await import('tsx/esm/api');
  register();
  await import('./main.ts');
} catch (error) {
  // A file of the checkout that is missing is another matter: Node calls that a module.
  if (error.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.startsWith('Cannot find package')) throw error;
  console.error(
    'hourglass: its packages are not installed here: run `npm ci` in the checkout, then this command again.',
  );
  process.exitCode = 1;
}
