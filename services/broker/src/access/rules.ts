import type { Audit } from '@porthole/shared/audit/audit';
import { defaultAccess, type AccessDocument } from '@porthole/shared/config/access-schema';
import { ConfigError } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { digest } from '@porthole/shared/store/keys';
import type { Log } from '@porthole/shared/telemetry/log';
import { every, type Clock } from '@porthole/shared/time/clock';
import { createAccess, type Access } from './decide.ts';
import { defaultWithinBoundary, withPermissionBoundaries } from './permission-boundary.ts';
import { parseRulesFile } from './rules-file.ts';

/** Polling also notices a file behind a symbolic link that Kubernetes replaces, which a file watcher misses. */
const pollMs = 5000;

/** The access rules in force, from the configuration or from the rules file. */
export interface AccessRules {
  current(): Access;
  /** What is wrong with the rules file, while earlier rules are in force. */
  reloadError(): string | undefined;
  readonly component: LifecycleComponent;
}

export type RulesConfig = Pick<Config, 'access' | 'classes' | 'accessFile' | 'clusters' | 'limits'>;

/**
 * The rules of the configuration. `text`: the content of its rules file, if it has one. Undefined if there are no rules.
 * Throws ConfigError if the rules file is invalid.
 */
export function readAccessDocument(
  config: RulesConfig,
  text: string | undefined = config.accessFile?.(),
): AccessDocument | undefined {
  const { access, classes } = config;
  if (text === undefined) return access || classes ? { access, classes } : undefined;
  const { document, issues } = parseRulesFile(text, config);
  if (!document) throw new ConfigError(issues.map((issue) => `accessFile: ${issue}`));
  return document;
}

/** Compiles rules, or the default rules if there are none. */
export function compileRules(
  document: AccessDocument | undefined,
  { limits, clock }: { readonly limits: Config['limits']; readonly clock: Pick<Clock, 'now'> },
): Access {
  const create = (one: AccessDocument) => createAccess(one, { limits, now: () => clock.now() });
  return document
    ? withPermissionBoundaries(create(document))
    : withPermissionBoundaries(create(defaultAccess), create(defaultWithinBoundary));
}

/**
 * Loads the access rules, and reloads the rules file when it changes. If the changed file is invalid, the previous rules
 * stay in force; the log, a metric and /readyz report the error. Throws ConfigError if the file is invalid at the start.
 */
export function createAccessRules(deps: {
  readonly config: RulesConfig;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'error'>;
  readonly audit: Audit;
  readonly onReload?: (result: 'ok' | 'faulty') => void;
}): AccessRules {
  const { config, clock, log, audit, onReload } = deps;
  const { accessFile, limits } = config;
  /** The text of the file at the last poll, or why it could not be read. */
  let seen = accessFile?.();
  let access = compileRules(readAccessDocument(config, seen), { limits, clock });
  let error: string | undefined;
  let cancel = () => {};

  function reloadIfChanged(): void {
    const text = accessFile?.() ?? '';
    const unreadable = accessFile?.readError?.();
    const found = unreadable ?? text;
    if (found === seen) return;
    seen = found;
    const { document, issues } = unreadable
      ? { document: undefined, issues: [unreadable] }
      : parseRulesFile(text, config);
    if (document) apply(document, text);
    else reject(issues, text);
  }

  function apply(document: AccessDocument, text: string): void {
    access = compileRules(document, { limits, clock });
    error = undefined;
    log.info({ ...access.size }, 'access rules reloaded');
    audit({ event: 'rules_reloaded', ...access.size, digest: digest(text) });
    onReload?.('ok');
  }

  function reject(issues: readonly string[], text: string): void {
    error = `the rules file is invalid, and the previous rules stay in force: ${issues.join('; ')}`;
    log.error({ issues }, 'the rules file is invalid: the previous rules stay in force');
    audit({ event: 'rules_refused', issues: issues.length, digest: digest(text) });
    onReload?.('faulty');
  }

  return {
    current: () => access,
    reloadError: () => error,
    component: {
      name: 'rules',
      async start() {
        if (accessFile) cancel = every(clock, pollMs, reloadIfChanged);
      },
      async stop() {
        cancel();
      },
    },
  };
}
