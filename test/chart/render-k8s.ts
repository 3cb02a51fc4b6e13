import { writeFileSync } from 'node:fs';
import {
  dashboardFile,
  prometheusRuleFile,
  renderDashboard,
  renderPrometheusRule,
} from './monitoring-files.ts';
import { quickstartFile, renderQuickstart } from './quickstart-manifest.ts';

/** `npm run k8s:render`: generates files from the chart and the dashboard. A test fails if they are out of date. */
writeFileSync(dashboardFile, await renderDashboard());
writeFileSync(prometheusRuleFile, renderPrometheusRule());
writeFileSync(quickstartFile, renderQuickstart());
