/** `npm run pictures`: starts a stack, waits for data, and takes every picture of docs/pictures/ from it, or those that are named. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../config/load.ts';
import { reasonOf } from '../../domain/errors.ts';
import { startChromium } from './chromium.ts';
import { pictures, waitForData } from './pictures.ts';
import { startStack } from './running-stack.ts';

const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(pictures, name));
if (unknown.length > 0) {
  console.error(`No such picture: ${unknown.join(', ')}. There are: ${Object.keys(pictures).join(', ')}.`);
  process.exit(2);
}

// Without a browser nothing need be started.
const browser = await startChromium();
try {
  const stack = await startStack();
  try {
    await waitForData(stack);
    for (const [name, take] of Object.entries(pictures)) {
      if (named.length > 0 && !named.includes(name)) continue;
      try {
        const picture = await take(stack, browser);
        writeFileSync(join(projectRoot, 'docs/pictures', name), picture);
        console.log(`docs/pictures/${name}: ${Math.round(picture.length / 1024)} KB`);
      } catch (error) {
        // The stack is up: the others can still be had.
        console.error(`docs/pictures/${name} is not taken: ${reasonOf(error)}`);
        process.exitCode = 1;
      }
    }
  } finally {
    await stack.close();
  }
} finally {
  await browser.close();
}
