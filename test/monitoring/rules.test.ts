import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorKinds } from '@porthole/shared/errors';
import { openFailures } from '@porthole/shared/telemetry/open-failures';
import { parse } from 'yaml';
import { exportedMetrics } from '../docs/tables.ts';
import { describeWith } from '../needs.ts';
import { toYaml } from '../to-yaml.ts';
import {
  dashboardQueries,
  monitoringFolder,
  readAlerts,
  readRules,
  rulesFile,
  runbooksFolder,
} from './files.ts';

const alerts = readAlerts();

interface AlertTest {
  readonly alertname: string;
  readonly exp_alerts?: readonly object[];
}
const { tests } = parse(readFileSync(`${monitoringFolder}rules.test.yaml`, 'utf8')) as {
  tests: { name: string; alert_rule_test: AlertTest[] }[];
};

test('every alert has a runbook, and every runbook has an alert', () => {
  const pages = readdirSync(runbooksFolder).map((file) => file.replace('.md', ''));
  expect(pages.sort()).toEqual([...alerts.keys()].sort());
});

test('every runbook explains what the alert means, its impact, what to check and how to fix it', () => {
  for (const name of alerts.keys()) {
    const text = readFileSync(`${runbooksFolder}${name}.md`, 'utf8');
    expect(text.match(/^##? .*$/gm)).toEqual([
      `# ${name}`,
      '## What it means',
      '## Impact',
      '## Check',
      '## Fix',
    ]);
  }
});

test('every alert has a severity, a static summary and a description', () => {
  for (const { labels, annotations } of readRules().filter(({ alert }) => alert)) {
    expect(['critical', 'warning', 'info']).toContain(labels?.['severity']);
    expect(Object.keys(annotations ?? {})).toEqual(['summary', 'description']);
    expect(annotations?.['summary']).toMatch(/^[^{}]+\.$/);
    expect(annotations?.['description']).toMatch(/\.$/);
  }
});

test('every alert fires in a promtool test, and none fires in the first one', () => {
  const fired = tests.flatMap(({ alert_rule_test: evaluations }) =>
    evaluations.filter(({ exp_alerts: expected }) => expected?.length).map(({ alertname }) => alertname),
  );
  expect(new Set(fired)).toEqual(new Set(alerts.keys()));
  const quiet = tests[0]?.alert_rule_test.filter(({ exp_alerts: expected }) => !expected?.length);
  expect(new Set(quiet?.map(({ alertname }) => alertname))).toEqual(new Set(alerts.keys()));
});

test('the recording rules count the results in openFailures as failed, and no others', () => {
  const patterns = readRules()
    .filter(({ record }) => record?.startsWith('namespace_service:porthole_opens_failed:rate'))
    .map(({ expr }) => /result=~"([^"]+)"/.exec(expr)?.[1]);
  expect(new Set(patterns).size).toBe(1);
  const pattern = new RegExp(`^(?:${patterns[0]})$`);
  expect(Object.keys(errorKinds).filter((code) => pattern.test(code))).toEqual(
    Object.keys(errorKinds).filter((code) => (openFailures as readonly string[]).includes(code)),
  );
});

test('rules, dashboard, runbooks and autoscaling use only metrics and labels that the services export', () => {
  const exported = exportedMetrics();
  const recorded = new Set(readRules().map(({ record }) => record));
  const expressions = [
    ...readRules().map(({ expr }) => expr),
    ...dashboardQueries().map(({ expr }) => expr),
    ...readdirSync(runbooksFolder).flatMap((file) =>
      [
        ...readFileSync(`${runbooksFolder}${file}`, 'utf8').matchAll(/```promql\n([\s\S]*?)```|`([^`\n]+)`/g),
      ].map(([, block, inline]) => block ?? inline ?? ''),
    ),
  ];
  for (const file of ['examples/prometheus-adapter.yaml', 'examples/keda-sessions.yaml'])
    expressions.push(readFileSync(`${monitoringFolder}../${file}`, 'utf8'));
  let checked = 0;
  for (const expression of expressions) {
    for (const [name] of expression.matchAll(/\b[a-z_]+:porthole_[\w:]+/g)) expect(recorded).toContain(name);
    for (const [name] of expression.matchAll(/(?<!:)\b(?:porthole|process|nodejs)_[a-z0-9_]+/g)) {
      const labels = exported.get(name) ?? exported.get(name.replace(/_(?:bucket|sum|count)$/, ''));
      expect({ name, exported: labels !== undefined }).toEqual({ name, exported: true });
      const [, matchers = ''] = new RegExp(`${name}\\{([^}]*)\\}`).exec(expression) ?? [];
      for (const [, label = ''] of matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g))
        expect([...(labels ?? []), 'namespace', 'pod', 'instance', 'job', 'le']).toContain(label);
      checked++;
    }
  }
  expect(checked).toBeGreaterThan(100);
});

test('the dashboard uses every porthole_* metric that the services export', () => {
  const shown = dashboardQueries()
    .map(({ expr }) => expr)
    .join('\n');
  const missing = [...exportedMetrics().keys()].filter(
    (name) =>
      name.startsWith('porthole_') && !new RegExp(`\\b${name}(?:_bucket|_sum|_count)?\\b`).test(shown),
  );
  expect(missing).toEqual([]);
});

/** The queries of prometheus-adapter and KEDA, with values for the adapter's placeholders. */
function autoscalingQueries(): readonly string[] {
  const read = (name: string) =>
    parse(readFileSync(`${monitoringFolder}../examples/${name}.yaml`, 'utf8')) as object;
  const { rules } = read('prometheus-adapter') as { rules: { custom: { metricsQuery: string }[] } };
  const { relay } = read('keda-sessions') as {
    relay: { keda: { triggers: { metadata: { query: string } }[] } };
  };
  return [
    ...rules.custom.map(({ metricsQuery }) =>
      metricsQuery.replace('<<.GroupBy>>', 'pod').replace('<<.LabelMatchers>>', 'namespace="consoles"'),
    ),
    ...relay.keda.triggers.map(({ metadata }) => metadata.query),
  ];
}

describeWith('prometheus')('promtool', () => {
  const promtool = (...args: string[]) => {
    const run = spawnSync('promtool', args, { encoding: 'utf8' });
    return { status: run.status, output: `${run.stdout}${run.stderr}` };
  };

  test('accepts rules.yaml', () => {
    expect(promtool('check', 'rules', rulesFile)).toMatchObject({ status: 0 });
  });

  test('passes the unit tests in rules.test.yaml', () => {
    const { status, output } = promtool('test', 'rules', `${monitoringFolder}rules.test.yaml`);
    expect(output).toContain('SUCCESS');
    expect(status).toBe(0);
  });

  test('accepts prometheus.yml and the queries of the dashboard and of autoscaling', () => {
    const folder = mkdtempSync(join(tmpdir(), 'porthole-promtool-'));
    try {
      const queries = [...dashboardQueries().map(({ expr }) => expr), ...autoscalingQueries()];
      const rules = queries.map((expr, index) => ({ record: `panel:${index}`, expr }));
      const file = join(folder, 'panels.yaml');
      writeFileSync(file, toYaml({ groups: [{ name: 'panels', rules }] }));
      expect(promtool('check', 'rules', file)).toMatchObject({ status: 0 });
      const config = join(folder, 'prometheus.yml');
      const text = readFileSync(`${monitoringFolder}prometheus.yml`, 'utf8');
      // Debian's build of Prometheus has no Kubernetes service discovery.
      const withoutDiscovery = text
        .replace('/etc/prometheus/porthole/rules.yaml', rulesFile)
        .replace(/kubernetes_sd_configs:\n( +)- role: pod\n.*\n/, 'static_configs:\n$1- targets: []\n');
      expect(withoutDiscovery).not.toContain('kubernetes_sd_configs');
      writeFileSync(config, withoutDiscovery);
      expect(promtool('check', 'config', config)).toMatchObject({ status: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
