import { writeFileSync } from 'node:fs';
import {
  dashboardFile,
  dashboardText,
  prometheusRuleFile,
  renderPrometheusRule,
} from './monitoring-files.ts';
import { quickstartFile, renderQuickstart } from './quickstart.ts';

/** `npm run k8s:render`. A test fails when one of the files is stale. */
writeFileSync(dashboardFile, await dashboardText());
writeFileSync(prometheusRuleFile, renderPrometheusRule());
writeFileSync(quickstartFile, renderQuickstart());
