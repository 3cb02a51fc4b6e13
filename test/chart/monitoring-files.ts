import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { stringify } from 'yaml';
import { dashboard } from '../../k8s/monitoring/dashboard.ts';
import { render } from './render.ts';
import { chart } from './values.ts';

export const rulesFile = `${chart}files/rules.yaml`;
export const dashboardFile = `${chart}files/dashboard.json`;
export const prometheusRuleFile = fileURLToPath(
  new URL('../../k8s/monitoring/prometheus-rule.yaml', import.meta.url),
);

/** What Grafana imports. */
export function dashboardText(): Promise<string> {
  return format(JSON.stringify(dashboard()), { parser: 'json', printWidth: 110 });
}

/** The alerts for the Prometheus operator, for who has no helm. */
export function renderPrometheusRule(): string {
  const rule = render('trial', { prometheusRule: { enabled: true } }).find(
    ({ kind }) => kind === 'PrometheusRule',
  );
  return `# Made by \`npm run k8s:render\` of helm/porthole/files/rules.yaml.\n${stringify(rule, { lineWidth: 0 })}`;
}
