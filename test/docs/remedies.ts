import type { ErrorCode } from '@porthole/shared/errors';

/** Cause and remedy of every error code, for docs/troubleshooting.md. The type makes the list complete. */
export const remedies: Readonly<Record<ErrorCode, readonly [cause: string, action: string]>> = {
  bad_request: [
    'A program sent a request that the API does not know.',
    'Read `detail` in the response and compare the request with the [protocol](protocol.md).',
  ],
  not_signed_in: [
    'No sign-in cookie, or the sign-in ended (`signIn.session`).',
    'Sign in. If the error returns at once: the cookie needs https, and `publicUrl` must be the address in the browser.',
  ],
  wrong_password: [
    'Wrong user name or password. Porthole does not say which.',
    'Set a new password with `porthole user add`. Proxmox accounts: try the same at Proxmox.',
  ],
  wrong_code: [
    'The code is mistyped or used, or clocks differ.',
    'Wait for the next code. Compare the clocks.',
  ],
  second_factor_unusable: [
    'The account has only WebAuthn or a YubiKey bound to the Proxmox web interface.',
    'Add TOTP or recovery keys at Proxmox.',
  ],
  sign_in_refused: [
    'The issuer refused, or sent no user name that is allowed.',
    'Check the log line with this `requestId`, and `signIn.oidc[].claims`.',
  ],
  sign_in_expired: [
    'The sign-in took more than ten minutes, or the answer came to another browser or broker address.',
    'Start again. If it always fails: `publicUrl` and the redirect URI at the issuer must match.',
  ],
  sign_in_provider_unavailable: [
    'The broker cannot reach the issuer or Proxmox.',
    'Try the address from the broker pod: check DNS, NetworkPolicy (`extraEgress`) and `caFile`.',
  ],
  identity_header_untrusted: [
    'A request with identity headers came from an address that is not in `signIn.header.from`.',
    "Add the proxy's own address there. Make sure that only the proxy can reach the broker.",
  ],
  token_invalid: [
    "A program's token is expired, has another issuer or audience, or is signed with an unknown key.",
    'The log names the reason. Compare the token with `signIn.programs` or `signIn.serviceAccounts`.',
  ],
  lti_platform_unknown: [
    'The `iss` and `client_id` of the login request match no entry of `lti.platforms`.',
    'Copy both from the settings of the tool in the platform, character by character. The log names what is missing.',
  ],
  lti_launch_invalid: [
    'The signature, a claim or the deployment of the message is wrong. The log names it.',
    'Compare `issuer`, `clientId`, `deploymentIds` and `jwksUrl` with the platform ([LTI](lti.md#troubleshooting)).',
  ],
  lti_launch_expired: [
    'A launch works once, and takes ten minutes at most. Also after a reload of the frame.',
    'Open the link in the course again. Check that all brokers use the same Redis.',
  ],
  lti_browser_unconfirmed: [
    'The browser blocks the cookie, or the platform did not return what it stored for the browser.',
    'Let the platform open the link in a new window ([LTI](lti.md#browsers-that-block-cookies)).',
  ],
  embed_token_invalid: [
    'A link works once and for a short time.',
    'Let the portal create a new link for each click.',
  ],
  impersonation_not_allowed: [
    "The program's `impersonation` does not cover that user or group.",
    'Extend `impersonation`.',
  ],
  cross_site: [
    "The request's Origin is not the origin of `publicUrl`.",
    'Set `publicUrl` to the address in the browser.',
  ],
  origin_not_allowed: [
    'The console was opened from a site that its grant does not allow.',
    'Set `publicUrl`. For pages that show consoles in a frame, set `frameAncestors`.',
  ],
  not_allowed: [
    'No rule gives this user this right at this time.',
    'Run `porthole access explain` or call `GET /api/v1/access/explain`.',
  ],
  not_found: [
    'The URL does not exist in Porthole.',
    'Check the URL. `/relay/` must reach a relay, all other paths a broker.',
  ],
  machine_not_found: [
    'The machine was deleted or moved, or no rule lets the user see it.',
    "Check Proxmox. Check the rules with `porthole access explain`. The broker's account needs `VM.Audit` on the machine.",
  ],
  method_not_allowed: [
    'A program used the wrong HTTP method.',
    'Compare the request with the [protocol](protocol.md).',
  ],
  machine_stopped: [
    'The machine is off, or paused at Proxmox.',
    'Start it in Porthole (if a rule gives `power`) or at Proxmox.',
  ],
  machine_running: ['The machine to start is already running.', 'None. The list was a moment old.'],
  machine_locked: [
    'Proxmox backs up, clones, migrates or snapshots the machine.',
    'Wait. Remove a leftover lock with `qm unlock` at Proxmox.',
  ],
  machine_ended: [
    'The machine was shut down from inside, at Proxmox, or by a user with `power`.',
    'Start it. If Porthole was used, the [audit log](audit.md) names the user.',
  ],
  terminal_ended: [
    'The program in the terminal ended: `exit`, or a login prompt of a node that timed out. The loss of a pveproxy worker with a single console looks alike.',
    'Open the terminal again.',
  ],
  body_too_large: ['The request body is larger than the API accepts.', 'Send less.'],
  wrong_media_type: ['A program did not send `application/json`.', 'Set `Content-Type`.'],
  rate_limited: [
    'Too many attempts by one user or one address within a minute.',
    'If all users are affected: `trustedProxies` is wrong, so all share one address. Otherwise raise `limits.*PerMinute`.',
  ],
  user_limit: [
    'The user reached `limits.consolesPerUser`.',
    'Close a console. Quota leases of a crashed relay expire within 90 seconds.',
  ],
  machine_limit: [
    'The machine reached `limits.consolesPerMachine`.',
    'Close a console, or raise the limit. QEMU supports at most 32.',
  ],
  relay_full: [
    'The relay reached `limits.consolesPerRelay` or `limits.wallsPerRelay`.',
    'Add relays; see [sizing](sizing.md).',
  ],
  grant_invalid: [
    'The grant was used twice, is older than 60 seconds, or was encrypted with another key.',
    'If it always fails: broker and relays must share grant keys and Redis, and their clocks must agree within seconds.',
  ],
  viewer_protocol: [
    'A third-party viewer violated the protocol, or a proxy changes frames.',
    "Try Porthole's own page. Look for a proxy that inspects WebSockets.",
  ],
  viewer_message_too_big: [
    'Same as `viewer_protocol`, or more than 2 MiB were pasted into a terminal that is slower.',
    'Paste less text at once.',
  ],
  viewer_stalled: [
    'The browser did not catch up with the console within 30 seconds.',
    'Check the network to the browser. The page reconnects by itself.',
  ],
  idle: [
    'No keyboard, pointer or paste input for `limits.idleSeconds`.',
    "Raise it, or the rule's `limits.idleSeconds`.",
  ],
  time_limit: [
    "The session reached `limits.sessionSeconds`, or the rule's time window ended.",
    'Raise the limit. With `limits.maxSessionSeconds`, users can extend the session.',
  ],
  ended_by_operator: [
    'A user with the `end` right ended the console.',
    'The [audit log](audit.md) names the user (`termination_ordered`).',
  ],
  taken_over: ['The same session continued in another window.', 'None.'],
  signed_out: ['The user signed out, here or at the issuer, or was signed out.', 'Sign in.'],
  draining: [
    'The relay is about to stop.',
    'None: the page connects to another relay. If that fails, no relay is ready.',
  ],
  screen_shared: [
    'A second viewer opened the machine, so its console became a shared screen.',
    'None: the page reconnects at once and shows the shared screen.',
  ],
  screen_moved: [
    'The relay that holds the console of a shared screen has stopped, or is about to.',
    'None: the page reconnects, and another relay opens the console.',
  ],
  screen_full: [
    'The relay has reached `sharing.screens`, `sharing.viewersPerScreen` or `sharing.megapixels`.',
    'None: the session opens a console of its own. Raise the limit to share more.',
  ],
  owner_unreachable: [
    "The relay that holds the machine's console does not answer. This relay takes the machine over, so users do not see this error.",
    'If `porthole_relay_forwards_refused_total` shows it often, check the [network between relays](network.md#between-relays).',
  ],
  unparked: ['The page was hidden for a long time and is visible again.', 'None: the page reconnects.'],
  store_unavailable: [
    'Redis does not answer the broker or relay. Open consoles are not affected.',
    'Check Redis and `porthole_store_errors_total`; see [Redis](redis.md) for the requirements.',
  ],
  recordings_unavailable: [
    'The storage of recordings does not answer the broker, denies access, or the bucket or directory is missing. Open consoles are not affected.',
    'Read the log line with this `requestId`, and check `recordings.storage`. See [Recordings](recordings.md#if-the-storage-is-away).',
  ],
  recording_held: [
    'The recording is on legal hold, so it cannot be deleted.',
    'Remove the hold first. See [Recordings](recordings.md#legal-hold).',
  ],
  recording_running: [
    'The console is still open, and is being recorded.',
    'Delete the recording after the console has ended.',
  ],
  queue_full: [
    'More than `limits.queuedPerRelay` sessions are queued on one relay.',
    'Add relays. Check whether Proxmox opens consoles slowly.',
  ],
  queue_timeout: [
    'No console of the queue opened within `limits.queueSeconds`.',
    "Check the node's load. `clusters[].opensPerNode` above 3 needs more pvedaemon workers.",
  ],
  proxmox_credential: [
    'The token is wrong, expired or disabled, or its user is.',
    'Check with `pveum user token list`. Porthole reads a new secret from its file without a restart.',
  ],
  proxmox_permission: [
    'The account lacks a privilege on the path of this machine.',
    'The log names the privilege. The relay needs `VM.Console` and `VM.Audit`, with `--privsep 0` or an ACL for the token itself.',
  ],
  proxmox_tls: [
    'The certificate does not match the configured CA or fingerprint, or lacks the host name.',
    '`porthole doctor` says which, and lists the names in the certificate. `caFile` is `/etc/pve/pve-root-ca.pem`; fingerprints change when certificates are renewed.',
  ],
  proxmox_invalid_response: [
    'Another service answers on that port, or an unsupported Proxmox version.',
    'The log contains the response. Try the URL from the pod.',
  ],
  proxmox_unreachable: [
    'No connection to port 8006 of the node that runs the machine.',
    'Relays must reach **every** node: check routes, firewalls, `networkPolicy.proxmoxCIDRs` and node addresses. `porthole_relay_proxmox_hosts` counts hosts with an open circuit breaker.',
  ],
  proxmox_timeout: [
    'The node is overloaded, or pvedaemon hangs.',
    'On the node, check the load and `journalctl -u pvedaemon`.',
  ],
  recording_unavailable: [
    'The access rules require a recording, and the relay has no `recordings` storage, or cannot store anything there. The log says why.',
    'Configure `recordings`, or repair the storage ([PortholeRecordingStorageFailing](runbooks/PortholeRecordingStorageFailing.md)). `record: try` opens consoles without recording.',
  ],
  recording_stopped: [
    'The access rules require a recording, and it cannot be continued: the spool is full, because the storage takes nothing.',
    'Repair the storage ([PortholeRecordingStorageFailing](runbooks/PortholeRecordingStorageFailing.md)), or enlarge `recordings.spool`.',
  ],
  recording_interrupted: [
    'The thread of the relay that records was lost. The page opens the console again, and its recording continues.',
    'None, unless it repeats: read the log line `recording thread lost` of the relay.',
  ],
  consent_required: [
    'The access rules require consent to the recording. The page asks for it.',
    'Programs: ask the user, and send `consent: true` with the request for a grant.',
  ],
  power_failed: [
    'The task at Proxmox failed.',
    'Read the task log at Proxmox. The [audit log](audit.md) contains the UPID.',
  ],
  power_timeout: [
    'The guest ignores ACPI, or takes long.',
    'Reset or stop the machine. Install the guest agent.',
  ],
  console_timeout: [
    "Proxmox opened the console, but the machine's screen sent nothing.",
    'Try the console at Proxmox. Possible causes: the node is overloaded, or ssh between nodes asks for input.',
  ],
  console_auth_failed: [
    "A console opened in the Proxmox web interface set the machine's only VNC password in the same second.",
    'Open the console again.',
  ],
  terminal_refused: [
    'The terminal proxy of the node closed the connection.',
    'Try the terminal at Proxmox, and read the task log there.',
  ],
  no_terminal: [
    'The virtual machine has no serial port.',
    'Run `qm set <vmid> --serial0 socket`, restart the machine, and enable a login on that port in the guest.',
  ],
  no_display: [
    'The virtual machine has `vga: none`, usual with a passed-through GPU, and no serial port.',
    'Run `qm set <vmid> --vga std`, or `--serial0 socket` for a terminal, and restart the machine.',
  ],
  terminal_only: [
    'The virtual machine has `vga: none` and a serial port.',
    'Open its terminal: the page offers it to users with the `terminal` right. Or set a display, as for `no_display`.',
  ],
  console_unresponsive: [
    'QEMU runs but does not answer Proxmox: it is stopped by a signal, or blocked by storage that does not respond.',
    'Check the storage and `qm monitor <vmid>` on the node. If it stays silent, stop and start the machine.',
  ],
  console_lost: [
    'The connection to Proxmox broke: network failure, restart of pveproxy, migration, or crash of the machine.',
    'None: the page reconnects. If it happens often, check `journalctl -u pveproxy` for that time.',
  ],
  internal: [
    'A bug in Porthole.',
    'Report an issue with the support number and the log line that contains it.',
  ],
};
