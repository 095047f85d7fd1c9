/** Reads out of a build's workflow bundle what it says of itself: its workflow types, and how it reads what runs carry over. */
import assert from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';

/** A zod schema of the bundle's own copy of zod. */
export interface StateSchema {
  safeParse(state: unknown): {
    readonly success: boolean;
    readonly data?: unknown;
    readonly error?: {
      readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
    };
  };
}

export interface BundleFacts {
  readonly buildId: string;
  readonly code: string;
  readonly workflowTypes: readonly string[];
  /** By workflow type; empty of a build that is older than this. */
  readonly carriedStates: Readonly<Record<string, StateSchema>>;
}

/** @throws the file system's error when the build's directory is gone */
export function readBundle(buildsDir: string, buildId: string): BundleFacts {
  const code = readFileSync(join(buildsDir, buildId, 'workflows.js'), 'utf8');
  const exported = exportsOf(code, `workflows of build ${buildId}`);
  const { carriedStates } = exported as { carriedStates?: Record<string, StateSchema> };
  return {
    buildId,
    code,
    workflowTypes: Object.keys(exported).filter((name) => typeof exported[name] === 'function'),
    carriedStates: carriedStates ?? {},
  };
}

/** The globals are those that the SDK gives a bundle; its top level does nothing but define. */
function exportsOf(code: string, filename: string): Record<string, unknown> {
  const context = vm.createContext({
    ...{ URL, URLSearchParams, TextEncoder, TextDecoder, AbortController },
    ...{ assert, AsyncLocalStorage, console },
    __webpack_module_cache__: {},
  });
  new vm.Script(code, { filename }).runInContext(context);
  const { __TEMPORAL__ } = context as { __TEMPORAL__: { importWorkflows(): Record<string, unknown> } };
  return { ...__TEMPORAL__.importWorkflows() };
}
