import { findingKinds } from '@porthole/broker/cli/doctor/findings';
import { createBrokerMetrics } from '@porthole/broker/metrics';
import { createRelayMetrics } from '@porthole/relay/metrics';
import {
  describeAuditEvent,
  auditEventNames,
  auditLineFields,
  auditLineSchema,
} from '@porthole/shared/audit/events';
import { openAuditOutput } from '@porthole/shared/audit/output';
import { closeCodes, type CloseName, type PageAction } from '@porthole/shared/protocol/close-codes';
import { environmentVariables } from '@porthole/shared/config/environment';
import { errorKinds, type ErrorCode } from '@porthole/shared/errors';
import { createPublicServer } from '@porthole/shared/http/public-server';
import { createProcessErrorMetrics } from '@porthole/shared/process/error-metrics';
import { createStoreMetrics } from '@porthole/shared/store/metrics';
import { addProcessMetrics, createRegistry } from '@porthole/shared/telemetry/metrics';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { readAlerts } from '../monitoring/files.ts';
import { relayReadings } from '../relay/relay-readings.ts';
import { allSettings, type Setting } from './setting-paths.ts';
import { remedies } from './remedies.ts';
import { meanings } from './settings.ts';

/** The generated tables of the reference pages, by name. Each comes from the code that it describes. */
export const tables: Readonly<Record<string, () => string>> = {
  errors: () =>
    table(
      ['Code', 'HTTP', 'Close code', 'Text'],
      errorCodes.map((code) => {
        const { status, close, text } = errorKinds[code];
        return [`\`${code}\``, String(status), `${closeCodes[close].code} \`${close}\``, text];
      }),
    ),
  'close-codes': () =>
    table(
      ['Code', 'Name', 'Page action', 'Text', 'Errors'],
      (Object.keys(closeCodes) as CloseName[]).map((name) => {
        const { code, pageAction, text } = closeCodes[name];
        const errors = errorCodes.filter((error) => errorKinds[error].close === name);
        return [
          String(code),
          `\`${name}\``,
          actions[pageAction],
          text,
          errors.map((error) => `\`${error}\``).join(', '),
        ];
      }),
    ),
  remedies: () =>
    table(
      ['Close code', 'Error', 'Cause', 'Action'],
      (Object.keys(closeCodes) as CloseName[]).flatMap((name) =>
        errorCodes
          .filter((error) => errorKinds[error].close === name)
          .map((error) => [`${closeCodes[name].code} \`${name}\``, `\`${error}\``, ...remedies[error]]),
      ),
    ),
  findings: () =>
    table(
      ['Finding', 'Level', 'Remedy'],
      Object.entries(findingKinds).map(([kind, { level, remedy }]) => [`\`${kind}\``, level, remedy]),
    ),
  settings: () =>
    table(
      ['Setting', 'Default', 'Meaning'],
      allSettings().map((setting) => [nameOf(setting), setting.fallback, meanings[setting.path] ?? '']),
    ),
  environment: () =>
    table(
      ['Variable', 'Setting', 'Meaning'],
      environmentVariables.map(({ name, path, secret, about }) => [
        secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``,
        `\`${path.join('.').replace('.0', '[0]')}\``,
        about,
      ]),
    ),
  'audit-events': () =>
    table(
      ['Event', 'Fields', 'Meaning'],
      auditEventNames.map((name) => [`\`${name}\``, fieldsOf(name).join(', '), describeAuditEvent(name)]),
    ),
  'common-metrics': () => metricsTable(commonRegistry()),
  'relay-metrics': () => metricsTable(relayRegistry()),
  'broker-metrics': () => metricsTable(brokerRegistry()),
  alerts: () =>
    table(
      ['Alert', 'Severity', 'Meaning'],
      [...readAlerts()].map(([name, { labels, annotations }]) => [
        `[${name}](runbooks/${name}.md)`,
        labels?.['severity'] ?? '',
        annotations?.['summary'] ?? '',
      ]),
    ),
};

function commonRegistry(): Registry {
  const registry = createRegistry();
  openAuditOutput({
    config: { to: 'none' },
    stdout: { write: () => {} },
    log: { error: () => {}, info: () => {} },
    registry,
  });
  createStoreMetrics(registry);
  createProcessErrorMetrics(registry);
  createPublicServer({
    listen: { host: '', port: 0 },
    onRequest: () => {},
    maxConnections: 1,
    registry,
  });
  return registry;
}

function relayRegistry(): Registry {
  const registry = createRegistry();
  createRelayMetrics(registry, relayReadings);
  return registry;
}

function brokerRegistry(): Registry {
  const registry = createRegistry();
  createBrokerMetrics(registry);
  return registry;
}

/** Returns every metric that a service exports, by name, with its labels. */
export function exportedMetrics(): ReadonlyMap<string, readonly string[]> {
  const ofNode = createRegistry();
  addProcessMetrics(ofNode);
  const all = [commonRegistry(), relayRegistry(), brokerRegistry(), ofNode].flatMap(metricsOf);
  ofNode.clear();
  return new Map(all.map(({ name, labelNames }) => [name, labelNames]));
}

/** Returns the fields of an audit event as Markdown; a question mark marks an optional field. */
function fieldsOf(name: (typeof auditEventNames)[number]): string[] {
  const { properties, required } = z.toJSONSchema(auditLineSchema(name), {
    unrepresentable: 'any',
  }) as ObjectSchema;
  return Object.keys(properties)
    .filter((field) => !auditLineFields.includes(field))
    .map((field) => `\`${field}${required.includes(field) ? '' : '?'}\``);
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
}

const errorCodes = Object.keys(errorKinds) as ErrorCode[];

const actions: Readonly<Record<PageAction, string>> = {
  'offer-reopen': 'Shows the text and offers to reopen the console.',
  'offer-terminal':
    "Shows the text and offers the machine's terminal, if the user may open it. Does not retry.",
  reconnect: 'Reconnects at once without a message.',
  retry: 'Shows the text and reconnects with back-off.',
  'new-grant-once': 'Requests a new grant once. If that fails, shows the text.',
  'wait-for-machine': 'Shows the text and reopens the console as soon as the machine runs.',
  'show-message': 'Shows the text. Does not retry.',
};

function nameOf({ path, secret }: Setting): string {
  return secret ? `\`${path}\`, \`${path.split('.').at(-1) ?? ''}File\`` : `\`${path}\``;
}

interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

/** Returns the metrics of a registry. prom-client's types omit the fields `type` and `labelNames`. */
export function metricsOf(registry: Registry): readonly Described[] {
  return registry.getMetricsAsArray() as unknown as readonly Described[];
}

function metricsTable(registry: Registry): string {
  return table(
    ['Metric', 'Type', 'Labels', 'Meaning'],
    metricsOf(registry).map(({ name, type, labelNames, help }) => [
      `\`${name}\``,
      type,
      labelNames.map((label) => `\`${label}\``).join(', '),
      help,
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
