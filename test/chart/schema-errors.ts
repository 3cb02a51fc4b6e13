import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import {
  PodMonitor,
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import {
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
} from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { ConfigMap, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount } from 'kubernetes-models/v1';
import type { Manifest } from './render.ts';

interface Model {
  validate(): void;
}
const models = {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  Deployment,
  HTTPRoute,
  HorizontalPodAutoscaler,
  Ingress,
  NetworkPolicy,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PodMonitor,
  PrometheusRule,
  Role,
  RoleBinding,
  ScaledObject,
  Secret,
  Service,
  ServiceAccount,
  ServiceMonitor,
  StatefulSet,
} as unknown as Readonly<Record<string, new (manifest: Manifest) => Model>>;

/** Custom resources for which no package provides a model. */
const kindsWithoutModel = ['BackendTrafficPolicy', 'ExternalSecret', 'GCPBackendPolicy', 'HealthCheckPolicy'];

/**
 * Validates a manifest against the schema of its kind, and returns the error. Custom resources are covered, unknown fields
 * aren't: see unknown-fields.ts.
 */
export function schemaError(manifest: Manifest): string | undefined {
  const Kind = models[manifest.kind];
  if (!Kind)
    return kindsWithoutModel.includes(manifest.kind)
      ? undefined
      : `${manifest.kind}: there is no model for this kind`;
  try {
    new Kind(manifest).validate();
    return undefined;
  } catch (error) {
    return `${manifest.kind} ${manifest.metadata.name}: ${String(error)}`;
  }
}
