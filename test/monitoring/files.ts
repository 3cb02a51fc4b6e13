import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { chartFolder } from '../chart/chart-folder.ts';

export interface Rule {
  readonly expr: string;
  readonly record?: string;
  readonly alert?: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const rulesFile = `${chartFolder}files/rules.yaml`;
export const monitoringFolder = fileURLToPath(new URL('../../k8s/monitoring/', import.meta.url));
export const runbooksFolder = fileURLToPath(new URL('../../docs/runbooks/', import.meta.url));

export function readRules(): readonly Rule[] {
  const { groups } = parse(readFileSync(rulesFile, 'utf8')) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

/** Alerts by name. Of an alert with several burn rates, the first, most severe rule. */
export function readAlerts(): ReadonlyMap<string, Rule> {
  const alerts = new Map<string, Rule>();
  for (const rule of readRules())
    if (rule.alert !== undefined && !alerts.has(rule.alert)) alerts.set(rule.alert, rule);
  return alerts;
}

/** The queries of all dashboard panels, with values for Grafana's variables. */
export function dashboardQueries(): readonly { title: string; expr: string }[] {
  const { panels } = JSON.parse(readFileSync(`${chartFolder}files/dashboard.json`, 'utf8')) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$namespace', '.*'),
    })),
  );
}
