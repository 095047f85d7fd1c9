/** What every service of the native stack is started with: the configuration, where the parts are, and the ports chosen. */
import type { VariableName } from '../config/environment.ts';
import type { Config } from '../config/load.ts';
import type { TemporalPrograms } from './provision/temporal.ts';

/** Ports that only the stack's own processes use among themselves. */
export interface InternalPorts {
  readonly kafkaController: number;
  readonly flinkRpc: number;
  readonly workerHealth: number;
  readonly temporalInternal: readonly number[];
}

export interface StackPorts extends InternalPorts {
  readonly kafka: number;
  readonly flinkRest: number;
  readonly flinkGateway: number;
  readonly temporal: number;
  readonly temporalUi: number;
  readonly postgres: number;
  readonly mock: number;
  readonly mockAdmin: number;
}

/** Where the programs are. One that is not needed, because somebody else runs its service, is an empty path. */
export interface StackParts {
  readonly java: string;
  readonly kafkaJars: string;
  readonly flinkJars: string;
  readonly postgres: string;
  readonly temporal: TemporalPrograms;
}

export interface StackSecrets {
  readonly POSTGRES_SUPERUSER_PASSWORD: string;
  readonly POSTGRES_PASSWORD: string;
  readonly POSTGRES_PIPELINE_PASSWORD: string;
  readonly POSTGRES_READER_PASSWORD: string;
}

export interface StackContext {
  readonly config: Config;
  readonly dataDir: string;
  readonly logDir: string;
  readonly ports: StackPorts;
  readonly parts: StackParts;
  readonly secrets: StackSecrets;
}

export const LOOPBACK = '127.0.0.1';

/** Whether the stack runs the service of this address itself: nobody has set the address of another. */
export const isNative = ({ values }: Config, address: VariableName): boolean => values[address] === undefined;
