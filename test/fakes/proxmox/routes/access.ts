import { ApiError } from '../answers.ts';
import type { Cluster } from '../cluster.ts';
import type { ApiCall, Route } from '../route.ts';

/** Sign-in: all failures have the same 401 response. */
const failure = () => new ApiError(401, 'authentication failure');

export const accessRoutes: Route[] = [
  {
    method: 'POST',
    path: '/access/ticket',
    anonymous: true,
    byDaemon: true,
    refusesTokens: true,
    schema: {
      username: { type: 'string', maxLength: 64 },
      password: { type: 'string' },
      realm: { type: 'string', optional: true },
      otp: { type: 'string', optional: true },
      'tfa-challenge': { type: 'string', optional: true },
      'new-format': { type: 'boolean', optional: true },
      path: { type: 'string', optional: true, maxLength: 64 },
      privs: { type: 'string', optional: true, maxLength: 64 },
    },
    run: createTicket,
  },
  {
    method: 'GET',
    path: '/access/domains',
    anonymous: true,
    run: () => [
      { realm: 'pam', type: 'pam', comment: 'Linux PAM standard authentication' },
      { realm: 'pve', type: 'pve', comment: 'Proxmox VE authentication server' },
    ],
  },
  {
    method: 'GET',
    path: '/access/permissions',
    schema: { path: { type: 'string', optional: true }, userid: { type: 'string', optional: true } },
    run({ cluster: { permissions }, user, parameters }) {
      const { path: wanted, userid = user } = parameters;
      const ownToken = userid.startsWith(`${user}!`);
      if (userid !== user && !ownToken && !permissions.has(user, '/access', 'Sys.Audit'))
        throw new ApiError(403, 'Permission check failed (/access, Sys.Audit)');
      const granted = (path: string) =>
        [...permissions.at(userid, path)].map(
          (privilege) => [privilege, permissions.propagates(userid, path, privilege) ? 1 : 0] as const,
        );
      const found = (wanted === undefined ? permissions.paths() : [wanted]).map(
        (path) => [path, Object.fromEntries(granted(path))] as const,
      );
      // Paths without privileges are left out, as are paths without an entry.
      return Object.fromEntries(found.filter(([, privileges]) => Object.keys(privileges).length > 0));
    },
  },
];

function createTicket({ cluster, parameters }: ApiCall) {
  const { username = '', password = '', realm, otp, path, privs } = parameters;
  const challenge = parameters['tfa-challenge'];
  const userid = realm === undefined ? username : `${username}@${realm}`;
  const user = cluster.accounts.find(userid);
  if (!user) throw failure();

  if (path !== undefined && privs !== undefined) {
    const good = user.password === password || cluster.tickets.verifySession(password) === userid;
    if (!good || !privs.split(/[, ]+/).every((one) => cluster.permissions.has(userid, path, one)))
      throw failure();
    return loggedIn(cluster, userid);
  }
  if (challenge !== undefined) {
    if (otp !== undefined || !cluster.tickets.verifyChallenge(challenge, userid)) throw failure();
    if (!cluster.accounts.takeFactor(userid, password)) throw failure();
    return loggedIn(cluster, userid);
  }
  const renewing = cluster.tickets.verifySession(password);
  // A ticket of root@pam is accepted as the password of any account.
  if (renewing === userid || renewing === 'root@pam') return loggedIn(cluster, userid);
  if (password !== user.password) throw failure();
  if (otp !== undefined && !cluster.accounts.takeFactor(userid, otp)) throw failure();
  const factors = cluster.accounts.factorsOf(userid);
  if (factors === undefined || otp !== undefined) return loggedIn(cluster, userid);
  return {
    username: userid,
    ticket: cluster.secret(cluster.tickets.challenge(userid, factors)),
    CSRFPreventionToken: cluster.secret(cluster.tickets.csrf(userid)),
    NeedTFA: 1,
  };
}

function loggedIn(cluster: Cluster, userid: string) {
  return {
    username: userid,
    ticket: cluster.secret(cluster.tickets.session(userid)),
    CSRFPreventionToken: cluster.secret(cluster.tickets.csrf(userid)),
    cap: capabilities(cluster, userid),
    ...(cluster.clusterName !== undefined &&
      cluster.permissions.has(userid, '/', 'Sys.Audit') && { clustername: cluster.clusterName }),
  };
}

/**
 * Privileges by the first part of their path, `dc` for `/`: Proxmox's own pages use them to hide buttons
 * (RPCEnvironment.pm, compute_api_permission). Privileges from a pool count as those of its guests.
 */
function capabilities({ permissions }: Cluster, userid: string) {
  const areas = { vms: /^VM\./, nodes: /^Sys\./, dc: /^Sys\.(?:Audit|Modify)$/ };
  const held = (area: keyof typeof areas) => {
    const found = permissions
      .paths()
      .filter((path) => areaOf(path) === area)
      .flatMap((path) => [...permissions.at(userid, path)]);
    return Object.fromEntries(found.filter((name) => areas[area].test(name)).map((name) => [name, 1]));
  };
  return {
    vms: held('vms'),
    nodes: held('nodes'),
    dc: held('dc'),
    access: {},
    storage: {},
    sdn: {},
    mapping: {},
  };
}

function areaOf(path: string): string {
  const [, first = 'dc'] = /^\/(\w+)/.exec(path) ?? [];
  return first === 'pool' ? 'vms' : first;
}
