{{/* The pod of one component: {root, component, values}. What `container` and `pod` of the values say is merged over it. */}}
{{- define "porthole.pod" -}}
{{- $spec := include "porthole.podOfOurs" . | fromYaml -}}
{{- $main := mergeOverwrite (first $spec.containers) (deepCopy .values.container) -}}
{{- $_ := set $spec "containers" (concat (list $main) .values.extraContainers) -}}
{{- toYaml (mergeOverwrite $spec (deepCopy .values.pod)) }}
{{- end }}

{{- define "porthole.podOfOurs" -}}
{{- $v := .root.Values -}}
{{- $values := .values -}}
{{- $component := .component -}}
serviceAccountName: {{ include "porthole.serviceAccount" . }}
automountServiceAccountToken: {{ include "porthole.token" . }}
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "porthole.grace" . }}
{{- with $v.global.imagePullSecrets }}
imagePullSecrets: {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext: {{- include "porthole.podSecurity" . | nindent 2 }}
{{- with $values.initContainers }}
initContainers: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: {{ $component }}
    image: {{ include "porthole.image" (dict "root" .root "image" $values.image) | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    securityContext: {{- include "porthole.containerSecurity" . | nindent 6 }}
    env: {{- include "porthole.env" . | nindent 6 }}
      {{- with $values.extraEnv }}{{ toYaml . | nindent 6 }}{{ end }}
    {{- with $values.extraEnvFrom }}
    envFrom: {{- toYaml . | nindent 6 }}
    {{- end }}
    ports:
      - { name: http, containerPort: 8080 }
      - { name: operations, containerPort: 9090 }
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
    {{- if $values.preStopSeconds }}
    lifecycle:
      preStop: { sleep: { seconds: {{ $values.preStopSeconds }} } }
    {{- end }}
    resources: {{- toYaml $values.resources | nindent 6 }}
    volumeMounts: {{- include "porthole.mounts" . | nindent 6 }}
      {{- with $values.extraVolumeMounts }}{{ toYaml . | nindent 6 }}{{ end }}
volumes: {{- include "porthole.volumes" . | nindent 2 }}
  {{- with $values.extraVolumes }}{{ toYaml . | nindent 2 }}{{ end }}
topologySpreadConstraints:
{{- if $values.topologySpreadConstraints }}{{ toYaml $values.topologySpreadConstraints | nindent 2 }}
{{- else }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "porthole.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" "priorityClassName" "dnsConfig" "hostAliases" }}
{{- with get $values $field }}
{{ $field }}: {{- if kindIs "string" . }} {{ . }}{{ else }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Only a broker with rights at Kubernetes carries a token. */}}
{{- define "porthole.token" -}}
{{- and (eq .component "broker") (or .root.Values.rbac.podDeletionCost .root.Values.rbac.tokenReview) }}
{{- end }}

{{/* With the next: what the restricted Pod Security Standard wants, and more. */}}
{{- define "porthole.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "porthole.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "porthole.env" -}}
- name: PORTHOLE_CONFIG
  value: /etc/porthole/config/porthole.yaml
- name: PORTHOLE_INSTANCE
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: PORTHOLE_GRANT_KEYS_FILE
  value: /etc/porthole/secrets/grant-keys/{{ .root.Values.secrets.grantKeysKey }}
{{- end }}

{{- define "porthole.mounts" -}}
{{- $component := .component -}}
- { name: config, mountPath: /etc/porthole/config, readOnly: true }
- { name: grant-keys, mountPath: /etc/porthole/secrets/grant-keys, readOnly: true }
{{- if .root.Values.redis.existingSecret }}
- { name: redis, mountPath: /etc/porthole/secrets/redis, readOnly: true }
{{- end }}
{{- range .root.Values.secrets.mounts }}{{ if has $component .for }}
- { name: {{ printf "secret-%s" .name }}, mountPath: /etc/porthole/secrets/{{ .name }}, readOnly: true }
{{- end }}{{ end }}
{{- end }}

{{- define "porthole.volumes" -}}
{{- $component := .component -}}
- name: config
  configMap: { name: {{ include "porthole.fullname" .root }}-{{ .component }} }
- name: grant-keys
  secret: { secretName: {{ include "porthole.grantSecret" .root }} }
{{- with .root.Values.redis.existingSecret }}
- name: redis
  secret: { secretName: {{ . }} }
{{- end }}
{{- range .root.Values.secrets.mounts }}{{ if has $component .for }}
- name: secret-{{ .name }}
  secret: { secretName: {{ .secretName }} }
{{- end }}{{ end }}
{{- end }}
