/** Ports for a stack of a test: free ones far from the defaults, so that stacks can run side by side and none takes another's while it restarts. */
import { createPortChooser } from '../../stack/ports.ts';

const PORTS = [
  'KAFKA_PORT',
  'FLINK_REST_PORT',
  'FLINK_GATEWAY_PORT',
  'TEMPORAL_PORT',
  'TEMPORAL_UI_PORT',
  'POSTGRES_PORT',
  'MOCK_PORT',
  'MOCK_ADMIN_PORT',
] as const;

export async function freePorts(): Promise<Readonly<Record<string, string>>> {
  const chooser = createPortChooser();
  const chosen: Record<string, string> = {};
  for (const name of PORTS) chosen[name] = String(await chooser.internal());
  return chosen;
}
