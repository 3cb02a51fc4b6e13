import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import {
  PodMonitor,
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import {
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
} from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import { ConfigMap, Pod, Secret, Service, ServiceAccount } from 'kubernetes-models/v1';
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
} as unknown as Readonly<Record<string, new (object: Manifest) => Model>>;

/** Kinds that others define, and whose definitions no package brings. */
const others = ['BackendTrafficPolicy', 'ExternalSecret', 'GCPBackendPolicy', 'HealthCheckPolicy'];

/** What is missing or of the wrong form, by the definitions of Kubernetes and of its extensions; they let unknown fields pass. */
export function faultOf(object: Manifest): string | undefined {
  const Kind = models[object.kind];
  if (!Kind) return others.includes(object.kind) ? undefined : `${object.kind}: there is no model of it`;
  try {
    new Kind(object).validate();
    return undefined;
  } catch (error) {
    return `${object.kind} ${object.metadata.name}: ${String(error)}`;
  }
}
