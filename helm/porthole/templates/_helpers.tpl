{{/* Chart name, as in the label app.kubernetes.io/name. */}}
{{- define "porthole.name" -}}{{ default "porthole" .Values.nameOverride | trunc 63 | trimSuffix "-" }}{{- end }}

{{/* Prefix of all resource names. Truncated, so that the name with a suffix has at most 63 characters. */}}
{{- define "porthole.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- else if contains (include "porthole.name" .) .Release.Name }}{{ .Release.Name | trunc 45 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name (include "porthole.name" .) | trunc 45 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Context of a component, without `root`: {component, name, values}. Values of the component override those in `common`. */}}
{{- define "porthole.component" -}}
{{- $own := eq .component "valkey" | ternary .root.Values.redis.valkey (get .root.Values .component) -}}
component: {{ .component }}
name: {{ include "porthole.fullname" .root }}-{{ .component }}
values: {{- mergeOverwrite (deepCopy .root.Values.common) (deepCopy $own) | toYaml | nindent 2 }}
{{- end }}

{{/* Contexts of broker and relay, as a list. */}}
{{- define "porthole.components" -}}
{{- range list "broker" "relay" }}
- {{- include "porthole.component" (dict "root" $ "component" .) | nindent 2 }}
{{- end }}
{{- end }}

{{/* Port of the Service of a component: {root, component}. */}}
{{- define "porthole.servicePort" -}}{{ (include "porthole.component" . | fromYaml).values.service.port }}{{- end }}

{{/* Selector labels of a component: {root, component}. Don't change them: the selector of a Deployment is immutable. */}}
{{- define "porthole.selectorLabels" -}}
app.kubernetes.io/name: {{ include "porthole.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* All labels of a resource: {root, component, labels}. The chart's labels take precedence, because selectors depend on them. */}}
{{- define "porthole.labels" -}}
{{- $chartLabels := dict "app.kubernetes.io/version" .root.Chart.AppVersion "app.kubernetes.io/managed-by" .root.Release.Service "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version) -}}
{{- merge (include "porthole.selectorLabels" . | fromYaml) $chartLabels (.labels | default dict) .root.Values.commonLabels | toYaml }}
{{- end }}

{{/* Metadata of a resource: {root, component, name, labels, annotations}. */}}
{{- define "porthole.metadata" -}}
name: {{ .name }}
labels: {{- include "porthole.labels" . | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Image reference: {root, values}. The digest overrides the tag, and global.imageRegistry overrides the registry. */}}
{{- define "porthole.image" -}}
{{- $image := .values.image -}}
{{- with .root.Values.global.imageRegistry | default $image.registry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{/* Name of the ServiceAccount of a component. */}}
{{- define "porthole.serviceAccountName" -}}
{{- .values.serviceAccount.name | default .name }}
{{- end }}

{{/* Name of the Secret that holds the grant keys. */}}
{{- define "porthole.grantKeysSecretName" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-keys" (include "porthole.fullname" .)) }}
{{- end }}

{{/* Host name in config.relayUrl, if relays have a host of their own. */}}
{{- define "porthole.relayHost" -}}
{{- $host := (urlParse (.Values.config.relayUrl | default "")).hostname | lower -}}
{{- if ne $host (include "porthole.host" .) }}{{ $host }}{{ end -}}
{{- end }}

{{/* Path in config.publicUrl, without a slash at its end. */}}
{{- define "porthole.basePath" -}}{{ (urlParse (.Values.config.publicUrl | default "")).path | trimSuffix "/" }}{{- end }}

{{/* Host name in config.publicUrl. */}}
{{- define "porthole.host" -}}{{ (urlParse (.Values.config.publicUrl | default "")).hostname | lower }}{{- end }}
