#!/usr/bin/env node
// Starts the command line: the sources are TypeScript, run as they are.
import { register } from 'tsx/esm/api';

register();
await import('./main.ts');
