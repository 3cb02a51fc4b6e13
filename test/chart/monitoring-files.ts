import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { dashboard } from '../../k8s/monitoring/dashboard.ts';
import { toYaml } from '../to-yaml.ts';
import { chartFolder } from './chart-folder.ts';
import { render } from './render.ts';

export const dashboardFile = `${chartFolder}files/dashboard.json`;
export const prometheusRuleFile = fileURLToPath(
  new URL('../../k8s/monitoring/prometheus-rule.yaml', import.meta.url),
);

/** The dashboard as JSON, for Grafana. */
export function renderDashboard(): Promise<string> {
  return format(JSON.stringify(dashboard()), { parser: 'json', printWidth: 110 });
}

/** The PrometheusRule of the chart, for installations without Helm. */
export function renderPrometheusRule(): string {
  const rule = render('evaluation', { prometheusRule: { enabled: true } }).find(
    ({ kind }) => kind === 'PrometheusRule',
  );
  return `# Generated from helm/porthole/files/rules.yaml by \`npm run k8s:render\`. Don't edit.\n${toYaml(rule)}`;
}
