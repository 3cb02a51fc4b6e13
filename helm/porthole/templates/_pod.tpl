{{/* Pod spec of broker or relay. Values such as livenessProbe are merged over the defaults. */}}
{{- define "porthole.podSpec" -}}
{{- $spec := include "porthole.defaultPodSpec" . | fromYaml -}}
{{- $container := first $spec.containers -}}
{{- range $field := list "startupProbe" "livenessProbe" "readinessProbe" "lifecycle" }}
{{- with get $.values $field }}{{ $_ := set $container $field (mergeOverwrite (get $container $field | default dict) .) }}{{ end }}
{{- end }}
{{- $container = mergeOverwrite $container .values.extraContainerSpec -}}
{{- $_ := set $spec "containers" (concat (list $container) .values.extraContainers) -}}
{{- include "porthole.extendPodSpec" (dict "context" . "spec" $spec) }}
{{- end }}

{{/* Adds what all pods of the chart have to a pod spec: {context, spec}. */}}
{{- define "porthole.extendPodSpec" -}}
{{- mergeOverwrite (include "porthole.commonPodSpec" .context | fromYaml) .spec (deepCopy .context.values.extraPodSpec) | toYaml }}
{{- end }}

{{- define "porthole.commonPodSpec" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ kindIs "map" . | ternary . (dict "name" .) | dig "name" "" }}
  {{- end }}
{{- end }}
securityContext: {{- include "porthole.podSecurityContext" . | nindent 2 }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" "priorityClassName" "dnsConfig" "hostAliases" }}
{{- with get $.values $field }}
{{ $field }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Fields of the container of every pod: {root, component, values}. */}}
{{- define "porthole.commonContainer" -}}
name: {{ .component }}
image: {{ include "porthole.image" . | quote }}
imagePullPolicy: {{ .values.image.pullPolicy }}
securityContext: {{- include "porthole.containerSecurityContext" . | nindent 2 }}
{{- end }}

{{/* Fields of a container that runs the program with the configuration of a component. */}}
{{- define "porthole.programContainer" -}}
{{ include "porthole.commonContainer" . }}
env: {{- include "porthole.env" . | nindent 2 }}
  {{- with .values.extraEnv }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with .values.extraEnvFrom }}
envFrom: {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts: {{- include "porthole.volumeMounts" . | nindent 2 }}
  {{- with .values.extraVolumeMounts }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}

{{- define "porthole.defaultPodSpec" -}}
serviceAccountName: {{ include "porthole.serviceAccountName" . }}
automountServiceAccountToken: {{ include "porthole.needsKubernetesApi" . }}
terminationGracePeriodSeconds: {{ include "porthole.terminationGracePeriodSeconds" . }}
{{- with .values.initContainers }}
initContainers: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - {{- include "porthole.programContainer" . | nindent 4 }}
    ports:
      - { name: http, containerPort: 8080 }
      - { name: operations, containerPort: 9090 }
      {{- if include "porthole.hasInternalListener" . }}
      - { name: internal, containerPort: 8081 }
      {{- end }}
    startupProbe:
      httpGet: { path: /livez, port: operations }
      periodSeconds: 2
      failureThreshold: 30
    livenessProbe:
      httpGet: { path: /livez, port: operations }
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: { path: /readyz, port: operations }
      periodSeconds: 5
      timeoutSeconds: 3
    {{- if .values.preStopSeconds }}
    lifecycle:
      preStop: { sleep: { seconds: {{ .values.preStopSeconds }} } }
    {{- end }}
    resources: {{- toYaml .values.resources | nindent 6 }}
volumes: {{- include "porthole.volumes" . | nindent 2 }}
topologySpreadConstraints:
{{- if .values.topologySpreadConstraints }}{{ toYaml .values.topologySpreadConstraints | nindent 2 }}
{{- else }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "porthole.selectorLabels" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Whether the component calls the Kubernetes API: "true" or "false". Only the broker does, with rbac.*. */}}
{{- define "porthole.needsKubernetesApi" -}}
{{- and (eq .component "broker") (or .root.Values.rbac.podDeletionCost .root.Values.rbac.tokenReview) }}
{{- end }}

{{/*
preStopSeconds + config.limits.drainSeconds + 15 seconds for shutting down: {root, component, values}. A relay that records
has recordings.spool.drainSeconds + 5 more, in which it stores what is left in its spool.
*/}}
{{- define "porthole.minimumGracePeriod" -}}
{{- $limits := (.root.Values.config).limits | default dict -}}
{{- $drain := 10 -}}
{{- if hasKey $limits "drainSeconds" }}{{ $drain = int $limits.drainSeconds }}{{ end -}}
{{- add (int .values.preStopSeconds) $drain 15 (and (eq .component "relay") .root.Values.recordings.enabled | ternary (add .root.Values.recordings.spool.drainSeconds 5) 0) }}
{{- end }}

{{- define "porthole.terminationGracePeriodSeconds" -}}
{{- $given := .values.terminationGracePeriodSeconds -}}
{{- if eq (toString $given) "<nil>" }}{{ include "porthole.minimumGracePeriod" . }}{{ else }}{{ int $given }}{{ end }}
{{- end }}

{{/* Together with porthole.containerSecurityContext, the defaults meet the restricted Pod Security Standard. */}}
{{- define "porthole.podSecurityContext" -}}
{{- $default := dict "runAsNonRoot" true "runAsUser" 10001 "runAsGroup" 10001 "fsGroup" 10001 "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- $ofComponent := dict -}}
{{- if eq .component "valkey" }}{{ $ofComponent = dict "runAsUser" 999 "runAsGroup" 1000 "fsGroup" 1000 }}
{{- /* Otherwise, each start of a pod changes the group of all recordings, which can take minutes. */}}
{{- else if include "porthole.hasRecordingsVolume" .root }}{{ $ofComponent = dict "fsGroupChangePolicy" "OnRootMismatch" }}{{ end -}}
{{- toYaml (mergeOverwrite $default $ofComponent (deepCopy .values.podSecurityContext)) }}
{{- end }}

{{- define "porthole.containerSecurityContext" -}}
{{- $default := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- toYaml (mergeOverwrite $default (deepCopy .values.containerSecurityContext)) }}
{{- end }}

{{- define "porthole.env" -}}
# In the pod template rather than in a ConfigMap, so that the pods of an old ReplicaSet keep their own configuration.
# Kubernetes reads `$$` as `$`.
- name: PORTHOLE_CONFIG_YAML
  value: |- {{- include "porthole.config" . | replace "$" "$$" | nindent 4 }}
- name: PORTHOLE_INSTANCE
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: PORTHOLE_GRANT_KEYS_FILE
  value: /etc/porthole/secrets/grant-keys/{{ .root.Values.secrets.grantKeysKey }}
{{- if include "porthole.hasInternalListener" . }}
- name: POD_IP
  valueFrom: { fieldRef: { fieldPath: status.podIP } }
- name: PORTHOLE_SHARING_INTERNAL_ADDRESS
  value: $(POD_IP):8081
{{- end }}
{{- end }}

{{/* Whether other relays forward viewers to pods of the component: "true" or empty. */}}
{{- define "porthole.hasInternalListener" -}}
{{- $sharing := .root.Values.config.sharing | default dict -}}
{{- if and (eq .component "relay") (ne (toString (get $sharing "enabled")) "false") }}true{{ end -}}
{{- end }}

{{- define "porthole.volumeMounts" -}}
{{- $component := .component -}}
- { name: grant-keys, mountPath: /etc/porthole/secrets/grant-keys, readOnly: true }
{{- if include "porthole.redisSecretName" .root }}
- { name: redis, mountPath: /etc/porthole/secrets/redis, readOnly: true }
{{- end }}
{{- include "porthole.recordingsVolumeMounts" . }}
{{- range .root.Values.secrets.mounts }}{{ if has $component .for }}
- { name: {{ printf "secret-%s" .name }}, mountPath: /etc/porthole/secrets/{{ .name }}, readOnly: true }
{{- end }}{{ end }}
{{- end }}

{{- define "porthole.volumes" -}}
{{- $component := .component -}}
- name: grant-keys
  secret: { secretName: {{ include "porthole.grantKeysSecretName" .root }} }
{{- with include "porthole.redisSecretName" .root }}
- name: redis
  secret: { secretName: {{ . }} }
{{- end }}
{{- include "porthole.recordingsVolumes" . }}
{{- range .root.Values.secrets.mounts }}{{ if has $component .for }}
- name: secret-{{ .name }}
  secret: { secretName: {{ .secretName }} }
{{- end }}{{ end }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
Value of `replicas` in a Deployment, or nothing: {root, component, values, name}.

An autoscaler needs a Deployment without `replicas`. But if the previous manifest contained it, Helm deletes the field, and
Kubernetes scales to 1 at once. Such a Deployment lacks the annotation porthole/replicas and keeps its live count.
*/}}
{{- define "porthole.replicas" -}}
{{- if not (and (eq .component "relay") (or .values.autoscaling.enabled .values.keda.enabled)) }}{{ .values.replicaCount }}
{{- else }}
{{- with lookup "apps/v1" "Deployment" .root.Release.Namespace .name }}
{{- if not (hasKey (.metadata.annotations | default dict) "porthole/replicas") }}{{ .spec.replicas }}{{ end -}}
{{- end }}
{{- end }}
{{- end }}
