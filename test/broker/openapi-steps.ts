/** An operation of the file, and a request that reaches it. */
export interface Step {
  readonly name: string;
  readonly path: string;
  readonly body?: unknown;
  /** No cookie needed. */
  readonly open?: true;
}
/** The HTTP method of a step. */
export const methodOf = ({ name }: Step) => name.split(' ')[0] ?? '';
export const grant = '/consoles/school/101/grants';
export const power = '/consoles/school/110/power';
export const explained = '/access/explain?user=ben&cluster=school&vmid=101';
export const steps: readonly Step[] = [
  { name: 'GET /login', path: '/login', open: true },
  { name: 'POST /login', path: '/login', body: { username: 'nobody', password: 'x' }, open: true },
  { name: 'GET /login/oidc/{issuer}', path: '/login/oidc/school', open: true },
  {
    name: 'GET /login/oidc/{issuer}/callback',
    path: '/login/oidc/school/callback?code=x&state=y',
    open: true,
  },
  { name: 'POST /login/oidc/{issuer}/logout', path: '/login/oidc/school/logout', open: true },
  {
    name: 'POST /login/proxmox/{cluster}',
    path: '/login/proxmox/school',
    body: { realm: 'pve', username: 'x', password: 'x' },
    open: true,
  },
  {
    name: 'POST /login/proxmox/{cluster}/code',
    path: '/login/proxmox/school/code',
    body: { id: 'x', factor: 'totp', code: '1' },
    open: true,
  },
  { name: 'POST /logout', path: '/logout', open: true },
  { name: 'DELETE /logins', path: '/logins?user=nobody' },
  { name: 'POST /embed-tokens', path: '/embed-tokens', body: { code: 'x'.repeat(43) }, open: true },
  { name: 'GET /me', path: '/me' },
  { name: 'GET /me/logins', path: '/me/logins' },
  { name: 'DELETE /me/logins/{id}', path: '/me/logins/none' },
  { name: 'GET /consoles', path: '/consoles' },
  { name: 'POST /consoles/{cluster}/{vmid}/grants', path: grant, body: { mode: 'view' } },
  { name: 'POST /consoles/{cluster}/{vmid}/power', path: power, body: { action: 'start' } },
  { name: 'GET /consoles/{cluster}/{vmid}/power/{task}', path: `${power}/none` },
  { name: 'GET /access/explain', path: explained },
  { name: 'GET /audit', path: '/audit' },
  { name: 'GET /classes', path: '/classes' },
  {
    name: 'POST /classes/{name}/actions',
    path: '/classes/lab/actions',
    body: { action: 'message', text: 'Five more minutes.' },
  },
  { name: 'POST /classes/{name}/wall', path: '/classes/lab/wall', body: {} },
  { name: 'GET /recordings', path: '/recordings' },
  { name: 'GET /recordings/{id}', path: '/recordings/none' },
  { name: 'DELETE /recordings/{id}', path: '/recordings/none' },
  {
    name: 'GET /recordings/{id}/parts/{part}/chunks/{chunk}',
    path: '/recordings/none/parts/none/chunks/0',
  },
  { name: 'GET /recordings/{id}/download', path: '/recordings/none/download' },
  { name: 'PUT /recordings/{id}/hold', path: '/recordings/none/hold' },
  { name: 'DELETE /recordings/{id}/hold', path: '/recordings/none/hold' },
  { name: 'GET /sessions', path: '/sessions' },
  { name: 'DELETE /sessions', path: '/sessions?user=nobody' },
  { name: 'DELETE /sessions/{id}', path: '/sessions/none' },
  { name: 'POST /sessions/{id}/control', path: '/sessions/none/control', body: { action: 'take' } },
];
