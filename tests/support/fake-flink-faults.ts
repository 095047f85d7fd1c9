/** What may go wrong between the control plane and a Flink in memory: a fault is armed for a step and met by its next call. */
import { FlinkRequestError, FlinkStatementError, FlinkUnreachableError } from '../../clients/flink-errors.ts';
import { HourglassError } from '../../domain/errors.ts';

/** Every call of the two doors; asking for a savepoint is three, by what is true of it when it is asked for. */
export const FLINK_STEPS = [
  'open a session',
  'execute',
  'describe a job',
  'list the jobs',
  'checkpoints',
  'exceptions',
  'execution result',
  'trigger a savepoint',
  'stop with a savepoint',
  'ask for an unknown savepoint',
  'ask for a pending savepoint',
  'ask for an ended savepoint',
  'cancel',
  'dispose',
] as const;
export type FlinkStep = (typeof FLINK_STEPS)[number];

/** What may befall every step. */
export const GENERAL_FAULTS = [
  'unreachable once',
  /** The whole service, from this step on. */
  'unreachable for a while',
  /** It does what it was asked; the caller gets an error. */
  'answer lost',
  'HTTP 500',
  /** The JobManager that answers is a new one: it knows nothing. */
  'JobManager lost before',
  /** It does what it was asked, and is lost with its answer. */
  'JobManager lost after',
] as const;
export const OWN_FAULTS = ['restore refused', 'savepoint fails', 'savepoint never ends'] as const;
export type FlinkFault = (typeof GENERAL_FAULTS)[number] | (typeof OWN_FAULTS)[number];

export interface FaultSwitches {
  /** The next call of the step meets the fault. */
  arm(step: FlinkStep, fault: FlinkFault): void;
  /** What was armed and not met yet. */
  armed(): readonly string[];
  /** Whether a fault that is the step's own is met by this call. */
  takes(step: FlinkStep, fault: (typeof OWN_FAULTS)[number]): boolean;
  /** Does what a call asks for, unless a fault is met. */
  call<T>(step: FlinkStep, effect: () => T): T;
}

const isGateway = (step: FlinkStep): boolean => step === 'open a session' || step === 'execute';

const unreachable = (step: FlinkStep): FlinkUnreachableError =>
  new FlinkUnreachableError(
    isGateway(step) ? 'Flink SQL Gateway' : 'Flink JobManager',
    'http://fake',
    'connect ECONNREFUSED',
    undefined,
  );

const internalError = (step: FlinkStep): Error =>
  step === 'execute'
    ? new FlinkStatementError('EXECUTE STATEMENT SET', 'a.b.SqlExecutionException: it broke')
    : new FlinkRequestError(step, 500, 'a.b.InternalException: it broke');

/**
 * @param loseJobManager what a restart of the JobManager does
 * @param whileMs how long a service that is away for a while stays away
 */
export function faultSwitches(loseJobManager: () => void, whileMs: number): FaultSwitches {
  const armed: { step: FlinkStep; fault: FlinkFault }[] = [];
  const awayUntil = { gateway: 0, jobManager: 0 };
  const take = (step: FlinkStep, faults: readonly FlinkFault[]): FlinkFault | undefined => {
    const index = armed.findIndex((one) => one.step === step && faults.includes(one.fault));
    return index < 0 ? undefined : armed.splice(index, 1)[0]?.fault;
  };
  return {
    arm: (step, fault) => void armed.push({ step, fault }),
    armed: () => armed.map(({ step, fault }) => `${fault}: ${step}`),
    takes: (step, fault) => take(step, [fault]) !== undefined,
    call(step, effect) {
      const service = isGateway(step) ? 'gateway' : 'jobManager';
      if (Date.now() < awayUntil[service]) throw unreachable(step);
      switch (take(step, GENERAL_FAULTS)) {
        case 'unreachable for a while':
          awayUntil[service] = Date.now() + whileMs;
          throw unreachable(step);
        case 'unreachable once':
          throw unreachable(step);
        case 'answer lost':
          unheard(effect);
          throw unreachable(step);
        case 'HTTP 500':
          throw internalError(step);
        case 'JobManager lost before':
          loseJobManager();
          return effect();
        case 'JobManager lost after':
          unheard(effect);
          loseJobManager();
          throw unreachable(step);
        default:
          return effect();
      }
    },
  };
}

/** Whatever it would have answered, a refusal too, does not arrive. */
function unheard(effect: () => unknown): void {
  try {
    effect();
  } catch (error) {
    if (!(error instanceof HourglassError)) throw error;
  }
}
