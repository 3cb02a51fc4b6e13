import type { Clock } from '@porthole/shared/time/clock';
import type { ClusterConfig, CredentialConfig } from '@porthole/shared/config/schema';
import { asPortholeError, type PortholeError } from '@porthole/shared/errors';
import {
  clusterStatusResponse,
  permissionsResponse,
  resourcesResponse,
} from '@porthole/shared/proxmox/responses';
import { createProxmoxClient, type ProxmoxClient } from '@porthole/shared/proxmox/client';
import { dialTargetOf, type ProxmoxHost } from '@porthole/shared/proxmox/host';
import { createNodeDirectory } from '@porthole/shared/proxmox/node-directory';
import { z } from 'zod';
import { certificateFaultOf } from './certificate-fault.ts';
import type { Finding, FindingKind } from './findings.ts';

const anything = z.unknown();
/** Permitted difference to the clock of a node, in milliseconds. */
const clockSlackMs = 30_000;

/** A cluster, and a credential with the tasks that it is used for. */
export interface ClusterRole {
  readonly cluster: ClusterConfig;
  readonly credential: CredentialConfig;
  readonly lists: boolean;
  readonly powers: boolean;
  readonly opens: boolean;
}

/** Checks each entry point, the permissions of the credential, and each node where relays open consoles. */
export async function checkCluster(
  role: ClusterRole,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<readonly Finding[]> {
  const { cluster, credential } = role;
  const where = `cluster ${cluster.name}`;
  let date: string | undefined;
  const client = createProxmoxClient({
    cluster,
    credential,
    clock,
    timeoutMs,
    onCallCompleted: (call) => (date = call.date ?? date),
  });
  const findings: Finding[] = [];
  const find = (kind: FindingKind, what: string, at = where) => void findings.push({ kind, where: at, what });
  try {
    if (cluster.tls.insecureSkipVerify) find('proxmox_insecure', 'Certificates are not verified.');
    let works = false;
    for (const host of client.entryPoints) {
      const at = `${where}, ${host.base.host}`;
      date = undefined;
      const error = await errorOf(client.get({ path: '/version', schema: anything, host }));
      if (!error) works = true;
      else {
        const { kind, what } = entryFinding(error, host, cluster);
        find(kind, what, at);
      }
      const differenceMs = date === undefined ? 0 : Date.parse(date) - clock.now();
      if (Math.abs(differenceMs) > clockSlackMs)
        find('proxmox_clock', `Its clock differs by ${Math.round(differenceMs / 1000)} s.`, at);
    }
    if (!works) return findings;
    await checkRights(role, client, find);
    if (role.opens) await checkNodes(role, client, { clock, find });
    return findings;
  } finally {
    await client.close();
  }
}

type Find = (kind: FindingKind, what: string, at?: string) => void;

async function errorOf(work: Promise<unknown>) {
  try {
    await work;
    return undefined;
  } catch (error) {
    return asPortholeError(error);
  }
}

type Problem = Pick<Finding, 'kind' | 'what'>;

function entryFinding(error: PortholeError, host: ProxmoxHost, cluster: ClusterConfig): Problem {
  const { code } = error;
  if (code === 'proxmox_tls') return certificateFinding(error, host, cluster, 'proxmox_certificate');
  const what = error.detail ?? error.message;
  if (code === 'proxmox_credential' || code === 'proxmox_permission')
    return { kind: 'proxmox_credential', what };
  return { kind: 'proxmox_unreachable', what };
}

function certificateFinding(
  error: PortholeError,
  host: ProxmoxHost,
  { tls }: ClusterConfig,
  unknownAuthority: FindingKind,
): Problem {
  const { reason, what } = certificateFaultOf(error, dialTargetOf(host).host, tls);
  return { kind: reason === 'authority' ? unknownAuthority : `certificate_${reason}`, what };
}

async function checkRights(role: ClusterRole, client: ProxmoxClient, find: Find): Promise<void> {
  const { data } = await client.get({ path: '/access/permissions', schema: permissionsResponse });
  const paths = Object.entries(data);
  const account = role.credential.kind === 'token' ? role.credential.token : role.credential.username;
  if (paths.every(([, privileges]) => Object.keys(privileges).length === 0))
    return find('proxmox_no_rights', `${account} has no permissions.`);
  const has = (privilege: string, below: RegExp) =>
    paths.some(([path, privileges]) => below.test(path) && privileges[privilege] !== undefined);
  const machines = /^\/($|vms|pool)/;
  const lacks = (privilege: string, where: string) => `${account} lacks ${privilege} on ${where}.`;
  if (role.lists && !has('VM.Audit', machines)) find('proxmox_no_audit', lacks('VM.Audit', 'any machine'));
  else if (role.lists) {
    const listed = await client.get({ path: '/cluster/resources?type=vm', schema: resourcesResponse });
    if (listed.data.length === 0) find('proxmox_no_machines', `${account} sees no machine.`);
  }
  if (role.powers && !has('VM.PowerMgmt', machines))
    find('proxmox_no_power', lacks('VM.PowerMgmt', 'any machine'));
  if (role.opens && !has('VM.Console', machines))
    find('proxmox_no_console', lacks('VM.Console', 'any machine'));
  if (role.opens && !has('Sys.Audit', /^\/$/)) find('proxmox_no_nodes', lacks('Sys.Audit', '/'));
  if (role.opens && role.cluster.nodeShells && !has('Sys.Console', /^\/($|nodes)/))
    find('proxmox_no_shell', lacks('Sys.Console', '/nodes'));
}

/** Relays connect to the node of a machine directly, so each node must be reachable from here. */
async function checkNodes(
  { cluster }: ClusterRole,
  client: ProxmoxClient,
  { clock, find }: { readonly clock: Clock; readonly find: Find },
): Promise<void> {
  const status = await client
    .get({ path: '/cluster/status', schema: clusterStatusResponse })
    .catch(() => ({ data: [] }));
  const directory = createNodeDirectory({ cluster, client, clock });
  for (const { type, name, online } of status.data) {
    if (type !== 'node' || !online) continue;
    const host = await directory.hostOf(name);
    const error = await errorOf(client.get({ path: '/version', schema: anything, host }));
    if (!error) continue;
    const { kind, what }: Problem =
      error.code === 'proxmox_tls'
        ? certificateFinding(error, host, cluster, 'node_certificate')
        : { kind: 'node_unreachable', what: error.detail ?? error.message };
    find(kind, what, `cluster ${cluster.name}, node ${name}`);
  }
}
