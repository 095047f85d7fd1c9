/** The base of errors that say that the command line is wrong in a way that its options cannot say one by one. */
import { HourglassError } from '../domain/errors.ts';

/** Thrown before anything is done; the command ends with the exit code of a wrong command line. */
export class UsageError extends HourglassError {}
