import type { Audit } from '@porthole/shared/audit/audit';
import { every, type Clock } from '@porthole/shared/time/clock';
import { accessDocument, defaultAccess, type AccessDocument } from '@porthole/shared/config/access-schema';
import { describeIssue } from '@porthole/shared/config/describe-issue';
import { ConfigError } from '@porthole/shared/config/read';
import { parseYaml } from '@porthole/shared/config/read-yaml';
import type { Config } from '@porthole/shared/config/schema';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import type { Log } from '@porthole/shared/telemetry/log';
import { digest } from '@porthole/shared/store/keys';
import { atMostOf, whateverElseGives } from './at-most.ts';
import { createAccess, type Access } from './decide.ts';
import { faultsOfAccess } from './faults.ts';

/** How often the file is looked at. Watching it would miss the links that Kubernetes swaps. */
const lookMs = 5000;

/** The access rules that are in force, whichever file they come from. */
export interface Rules {
  /** As they are now. */
  current(): Access;
  /** What is wrong with the file, while the rules from before it are in force. */
  fault(): string | undefined;
  readonly part: LifecycleComponent;
}

export type RulesConfig = Pick<Config, 'access' | 'classes' | 'accessFile' | 'clusters' | 'limits'>;

/**
 * The rules of the configuration, or those of its rules file as it is now. A file that an edit broke leaves the last
 * good rules in force and says so: in the log, in a metric, and at /readyz. At the start there are none to leave, so
 * there it is a fault of the configuration.
 */
export function createRules(deps: {
  readonly config: RulesConfig;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'error'>;
  readonly audit: Audit;
  readonly onReload?: (result: 'ok' | 'faulty') => void;
}): Rules {
  const { config, clock, log, audit, onReload } = deps;
  const { accessFile, limits } = config;
  const create = (document: AccessDocument) => createAccess(document, { limits, now: () => clock.now() });
  const toAccess = (document: AccessDocument) => atMostOf(create(document));
  if (!accessFile)
    return {
      current: constantly(
        config.access || config.classes
          ? toAccess({ access: config.access, classes: config.classes })
          : atMostOf(create(defaultAccess), create(whateverElseGives)),
      ),
      fault: () => undefined,
      part: { name: 'rules' },
    };

  /** Its text at the last look, or what kept it from being read. */
  let seen = accessFile();
  let access = toAccess(parseAtStart(seen, config));
  let fault: string | undefined;
  let cancel = () => {};

  function look(): void {
    const found = accessFile?.() ?? '';
    const unreadable = accessFile?.readError?.();
    const now = unreadable ?? found;
    if (now === seen) return;
    seen = now;
    if (unreadable) return refuse([unreadable], found);
    const { document, faults } = parseRules(found, config);
    if (document) take(toAccess(document), found);
    else refuse(faults, found);
  }

  function take(next: Access, from: string): void {
    access = next;
    fault = undefined;
    log.info({ ...next.size }, 'the access rules were read again');
    audit({ event: 'rules_reloaded', ...next.size, digest: digest(from) });
    onReload?.('ok');
  }

  function refuse(faults: readonly string[], from: string): void {
    fault = `the rules file is faulty, and the rules from before its change are in force: ${faults.join('; ')}`;
    log.error({ faults }, 'THE RULES FILE IS FAULTY: the rules from before its change stay in force');
    audit({ event: 'rules_refused', issues: faults.length, digest: digest(from) });
    onReload?.('faulty');
  }

  return {
    current: () => access,
    fault: () => fault,
    part: {
      name: 'rules',
      async start() {
        cancel = every(clock, lookMs, look);
      },
      async stop() {
        cancel();
      },
    },
  };
}

function parseAtStart(text: string, config: RulesConfig): AccessDocument {
  const { document, faults } = parseRules(text, config);
  if (!document) throw new ConfigError(faults.map((fault) => `accessFile: ${fault}`));
  return document;
}

/** The rules in the text of a rules file, or everything that is wrong with them. */
export function parseRules(
  text: string,
  { clusters }: Pick<Config, 'clusters'>,
): { readonly document?: AccessDocument; readonly faults: readonly string[] } {
  const yaml = parseYaml(text);
  if (yaml.issues.length > 0) return { faults: yaml.issues };
  const parsed = accessDocument.safeParse(yaml.value, { reportInput: true });
  if (!parsed.success)
    return { faults: parsed.error.issues.flatMap((issue) => describeIssue(issue, (path) => path)) };
  if (!parsed.data.access && !parsed.data.classes) return { faults: ['there is neither access nor classes'] };
  const faults = faultsOfAccess(parsed.data, clusters);
  return faults.length > 0 ? { faults } : { document: parsed.data, faults };
}

function constantly<T>(value: T): () => T {
  return () => value;
}
