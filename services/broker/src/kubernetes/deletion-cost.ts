/**
 * What it costs to delete a relay with so many consoles, for controller.kubernetes.io/pod-deletion-cost: a
 * ReplicaSet that shrinks deletes the cheapest pods first. Coarse (0, 1, 5, 10, 20, 40, …), because each change is a
 * write to the API server (Kubernetes asks not to follow a metric with it, KEP-2255).
 */
export function deletionCostFor(consoles: number): number {
  if (consoles < 1) return 0;
  if (consoles < 5) return 1;
  if (consoles < 10) return 5;
  return 10 * 2 ** Math.floor(Math.log2(consoles / 10));
}
