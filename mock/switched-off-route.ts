/** Owns the mock's answer to `/data/2.5/group` and `/data/2.5/box/city`, which the API has switched off: no key opens them. */
import { type MockReply, unauthorizedReply } from './replies.ts';

export function switchedOffRoute(): MockReply {
  return unauthorizedReply;
}
