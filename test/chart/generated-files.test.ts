import { readFileSync } from 'node:fs';
import { describeWith } from '../needs.ts';
import { chartFolder } from './chart-folder.ts';
import {
  dashboardFile,
  prometheusRuleFile,
  renderDashboard,
  renderPrometheusRule,
} from './monitoring-files.ts';
import { quickstartFile, renderQuickstart } from './quickstart-manifest.ts';
import { generateValuesReference } from './values-reference.ts';

test('the schema and the README table match values.yaml (npm run chart:values)', async () => {
  const { schema, readme } = await generateValuesReference();
  expect(readFileSync(`${chartFolder}values.schema.json`, 'utf8')).toBe(schema);
  expect(readFileSync(`${chartFolder}README.md`, 'utf8')).toBe(readme);
});

test('dashboard.json matches dashboard.ts (npm run k8s:render)', async () => {
  expect(readFileSync(dashboardFile, 'utf8')).toBe(await renderDashboard());
});

describeWith('helm')('files in k8s/ that are rendered from the chart', () => {
  test('match the chart (npm run k8s:render)', () => {
    expect(readFileSync(quickstartFile, 'utf8')).toBe(renderQuickstart());
    expect(readFileSync(prometheusRuleFile, 'utf8')).toBe(renderPrometheusRule());
  });
});
