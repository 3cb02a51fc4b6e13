import type { ErrorCode } from '@porthole/shared/errors';

/** Where an error comes from and what to do about it, for docs/troubleshooting.md. The type says that none is missing. */
export const remedies: Readonly<Record<ErrorCode, readonly [why: string, what: string]>> = {
  bad_request: [
    'A program sent something that the API does not know.',
    '`detail` of the answer says what; compare with the [protocol](protocol.md).',
  ],
  not_signed_in: [
    'No sign-in cookie, or one that ended (`signIn.session`).',
    'Sign in. If it comes back at once: the cookie needs https, and `publicUrl` must be the address in the browser.',
  ],
  wrong_password: [
    'Name or password; it is not said which.',
    '`porthole user add` sets a new one. Accounts of Proxmox: try the same at Proxmox.',
  ],
  wrong_code: ['A mistyped or used code, or clocks that differ.', 'Wait for the next code; compare clocks.'],
  second_factor_unusable: [
    'The account has only WebAuthn or a Yubico key, bound to the pages of Proxmox.',
    'Add TOTP or recovery keys at Proxmox.',
  ],
  sign_in_refused: [
    'The issuer refused, or gave no name that is allowed.',
    'Look at the log line with this `requestId`, and at `signIn.oidc[].claims`.',
  ],
  sign_in_expired: [
    'Ten minutes went by, or the answer came to another browser or broker address.',
    'Begin anew. If always: `publicUrl` and the redirect URI at the issuer must agree.',
  ],
  sign_in_provider_unavailable: [
    'The issuer or Proxmox can not be reached from the broker.',
    'Try its address from the broker’s pod: DNS, NetworkPolicy (`extraEgress`), `caFile`.',
  ],
  identity_header_untrusted: [
    'A request with an identity in its headers came from an address that is not in `signIn.header.from`.',
    'Enter the proxy’s own address there; see that nothing else reaches the broker.',
  ],
  token_invalid: [
    'A program’s token is expired, of another issuer or audience, or signed with an unknown key.',
    'The log says which; compare `signIn.programs` or `signIn.serviceAccounts`.',
  ],
  embed_token_invalid: ['A link is used once and soon.', 'Let the portal make a new one for each click.'],
  impersonation_not_allowed: [
    'The program’s `impersonation` does not name that user or group.',
    'Extend `impersonation`.',
  ],
  cross_site: [
    'The request’s Origin is not that of `publicUrl`.',
    'Set `publicUrl` to the address in the browser.',
  ],
  origin_not_allowed: [
    'The console was opened from another site than its grant allows.',
    'Set `publicUrl`, and `frameAncestors` for pages that show consoles in a frame.',
  ],
  not_allowed: [
    'No rule gives this to this person, now.',
    '`porthole access explain`, or `GET /api/v1/access/explain`, says which rules were looked at.',
  ],
  not_found: [
    'An address that Porthole does not have.',
    'Check it; `/relay/` must reach a relay, the rest a broker.',
  ],
  machine_not_found: [
    'Deleted or moved meanwhile, or no rule shows it.',
    'Look at Proxmox; `porthole access explain` for the rules; the broker’s account needs `VM.Audit` on it.',
  ],
  method_not_allowed: ['A program uses another HTTP method.', 'Compare with the [protocol](protocol.md).'],
  machine_stopped: [
    'The machine is off, or paused at Proxmox.',
    'Start it: here where a rule gives `power`, or at Proxmox.',
  ],
  machine_running: ['It was to be started and runs.', 'Nothing; the list was a moment old.'],
  machine_locked: [
    'Proxmox backs it up, clones, migrates or snapshots it.',
    'Wait; a lock left behind is removed by `qm unlock` at Proxmox.',
  ],
  machine_ended: [
    'Shut down from inside, at Proxmox, or by somebody with `power`.',
    'Start it; the [audit](audit.md) names who used Porthole for it.',
  ],
  body_too_large: ['More than the API takes.', 'Send less.'],
  wrong_media_type: ['A program sent no `application/json`.', 'Set `Content-Type`.'],
  rate_limited: [
    'Too many tries of one user or one address in a minute.',
    'If it is everybody: `trustedProxies` is wrong and all count as one. Else raise `limits.*PerMinute`.',
  ],
  user_limit: [
    '`limits.consolesPerUser`.',
    'Close one; places of a crashed relay come free within 90 seconds.',
  ],
  machine_limit: ['`limits.consolesPerMachine`.', 'Close one, or raise it; QEMU takes 32.'],
  relay_full: ['`limits.consolesPerRelay`.', 'More relays; see [sizing](sizing.md).'],
  grant_invalid: [
    'Used twice, older than its minute, or sealed with another key.',
    'If always: broker and relays must share grant keys and Redis, and their clocks must agree within seconds.',
  ],
  viewer_protocol: [
    'A viewer that is not ours, or something between that changes frames.',
    'Try our page; look for a proxy that inspects WebSockets.',
  ],
  viewer_message_too_big: ['As above, or a paste of more than 1 MiB.', 'Paste less at once.'],
  viewer_stalled: [
    'The browser took nothing for so long that it was not waited for.',
    'The network between; the page goes on by itself.',
  ],
  idle: ['`limits.idleSeconds` without key, pointer or paste.', 'Raise it, or the rule’s own.'],
  time_limit: [
    '`limits.sessionSeconds`, or the end of the rule’s time.',
    'Raise it; `limits.maxSessionSeconds` lets people ask for more.',
  ],
  ended_by_operator: [
    'Somebody with `end` ended it.',
    'The [audit](audit.md) says who (`termination_ordered`).',
  ],
  taken_over: ['The same session went on in another window.', 'Nothing.'],
  signed_out: ['The person signed out, here or at the issuer, or was signed out.', 'Sign in.'],
  draining: [
    'The relay is about to stop.',
    'Nothing: the page goes on elsewhere. If nothing takes it: no relay is ready.',
  ],
  store_unavailable: [
    'Redis does not answer broker or relay.',
    'Look at Redis and `porthole_store_errors_total`; [redis](redis.md) says what it needs. Open consoles go on.',
  ],
  queue_full: [
    'More people wait at one relay than `limits.queuedPerRelay`.',
    'More relays; look whether Proxmox opens slowly.',
  ],
  queue_timeout: [
    'The node opened too few consoles within `limits.queueSeconds`.',
    'Look at the node’s load; `clusters[].opensPerNode` above 3 needs more pvedaemon workers.',
  ],
  proxmox_credential: [
    'The token is wrong, expired, disabled, or its user is.',
    '`pveum user token list`; a new secret is read from its file without a restart.',
  ],
  proxmox_permission: [
    'The account lacks a privilege on this machine’s path.',
    'The log names it. `VM.Console` and `VM.Audit` for the relay, with `--privsep 0` or an ACL for the token itself.',
  ],
  proxmox_tls: [
    'Another certificate than the CA or fingerprint given, or a name that is not in it.',
    'The log shows what came. `caFile` is `/etc/pve/pve-root-ca.pem`; fingerprints change when certificates are renewed.',
  ],
  proxmox_invalid_response: [
    'Something else answers on that port, or a Proxmox that is older or newer than known.',
    'The log has what came; try the URL from the pod.',
  ],
  proxmox_unreachable: [
    'No connection to port 8006 of the node that runs the machine.',
    'Relays must reach **every** node: routes, firewalls, `networkPolicy.proxmoxCIDRs`, node addresses. `porthole_relay_proxmox_hosts` counts hosts that are left alone.',
  ],
  proxmox_timeout: [
    'The node is overloaded, or pvedaemon hangs.',
    'Load and `journalctl -u pvedaemon` there.',
  ],
  power_failed: [
    'The task at Proxmox failed.',
    'The [audit](audit.md) has its UPID; its log stands at Proxmox.',
  ],
  power_timeout: ['The guest ignores ACPI, or takes long.', 'Reset or stop it; install the guest agent.'],
  console_timeout: [
    'Proxmox opened the console, and the machine’s screen said nothing.',
    'A machine without a display (`vga: none`), a hanging QEMU, or ssh between nodes that asks something: try the console at Proxmox.',
  ],
  console_auth_failed: [
    'Somebody else set the one VNC password of this machine in the same second, from Proxmox’s own pages.',
    'Open it again.',
  ],
  terminal_refused: [
    'The node’s terminal proxy hung up.',
    'Try it at Proxmox; look at the task’s log there.',
  ],
  no_terminal: [
    'The virtual machine has no serial port.',
    '`qm set <vmid> --serial0 socket`, restart it, and a login on it in the guest.',
  ],
  console_lost: [
    'The connection to Proxmox broke: network, a restart of pveproxy, a migration, a crash of the machine.',
    'The page goes on by itself. If often: `journalctl -u pveproxy` at that hour.',
  ],
  internal: ['A fault of ours.', 'Take the support number and the log line with it to an issue.'],
};
