{{- define "porthole.name" -}}{{ default "porthole" .Values.nameOverride | trunc 63 | trimSuffix "-" }}{{- end }}

{{/* Short enough that a suffix fits in 63. */}}
{{- define "porthole.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- else if contains (include "porthole.name" .) .Release.Name }}{{ .Release.Name | trunc 45 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name (include "porthole.name" .) | trunc 45 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Frozen: a Deployment's selector can not change. */}}
{{- define "porthole.selector" -}}
app.kubernetes.io/name: {{ include "porthole.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "porthole.labels" -}}
{{ include "porthole.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "porthole.grantSecret" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-keys" (include "porthole.fullname" .)) }}
{{- end }}

{{- define "porthole.redisUrl" -}}
{{- if .Values.redis.dev.enabled }}redis://{{ include "porthole.fullname" . }}-valkey:6379{{ else }}{{ .Values.redis.url }}{{ end }}
{{- end }}

{{- define "porthole.redisPort" -}}
{{- $host := regexReplaceAll "^rediss?://([^@/]*@)?" (include "porthole.redisUrl" .) "" | splitList "/" | first -}}
{{- regexFind ":[0-9]+$" $host | trimPrefix ":" | default "6379" }}
{{- end }}

{{- define "porthole.grace" -}}
{{- $limits := (.root.Values.config).limits | default dict -}}
{{- $drain := 10 -}}
{{- if hasKey $limits "drainSeconds" }}{{ $drain = int $limits.drainSeconds }}{{ end -}}
{{- $least := add (int .values.preStopSeconds) $drain 15 -}}
{{- $given := .values.terminationGracePeriodSeconds -}}
{{- if eq (toString $given) "<nil>" }}{{ $least }}{{ else }}
{{- if lt (int $given) (int $least) }}{{ fail (printf "%s.terminationGracePeriodSeconds: must be at least %d: preStopSeconds, limits.drainSeconds and 15" .component (int $least)) }}{{ end }}
{{- int $given }}{{ end }}
{{- end }}

{{/* The settings of one component. A relay gets nothing that only a broker needs, so that a change of it restarts no relay. */}}
{{- define "porthole.config" -}}
{{- $config := deepCopy .root.Values.config -}}
{{- $clusters := list -}}
{{- range $config.clusters }}
{{- $own := get . (printf "%sCredential" $.component) | default .credential -}}
{{- $cluster := omit . "brokerCredential" "relayCredential" "credential" -}}
{{- with $own }}{{ $_ := set $cluster "credential" . }}{{ end -}}
{{- $clusters = append $clusters $cluster }}
{{- end }}
{{- if $clusters }}{{ $_ := set $config "clusters" $clusters }}{{ end -}}
{{- $redis := dict "url" (include "porthole.redisUrl" .root) -}}
{{- with .root.Values.redis }}{{ if .existingSecret }}
{{- $_ := set $redis "passwordFile" (printf "/etc/porthole/secrets/redis/%s" .passwordKey) -}}
{{- with .caKey }}{{ $_ := set $redis "caFile" (printf "/etc/porthole/secrets/redis/%s" .) }}{{ end -}}
{{- end }}{{ end -}}
{{- $_ := set $config "redis" $redis -}}
{{- if eq .component "relay" }}
{{- $config = omit $config "access" "classes" "accessFile" "kubernetes" -}}
{{- $_ := set $config "signIn" (dict "local" (dict "usersFile" "no-users.yaml")) -}}
{{- else if .root.Values.rbac.podDeletionCost }}
{{- $_ := set $config "kubernetes" (mergeOverwrite (dict "leaseName" (printf "%s-broker" (include "porthole.fullname" .root)) "relaySelector" (printf "app.kubernetes.io/name=%s,app.kubernetes.io/instance=%s,app.kubernetes.io/component=relay" (include "porthole.name" .root) .root.Release.Name)) ($config.kubernetes | default dict)) -}}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- define "porthole.host" -}}{{ (urlParse (.Values.config.publicUrl | default "")).hostname }}{{- end }}

{{/* All that contradicts itself, in one message. */}}
{{- define "porthole.check" -}}
{{- $faults := list -}}
{{- $v := .Values -}}
{{- if not $v.config.publicUrl }}{{ $faults = append $faults "config.publicUrl: say under which https:// URL browsers reach Porthole" }}{{ end -}}
{{- if not $v.config.clusters }}{{ $faults = append $faults "config.clusters: name at least one Proxmox cluster" }}{{ end -}}
{{- if and (not $v.secrets.existingSecret) (not $v.secrets.generate) }}{{ $faults = append $faults "secrets.existingSecret: name a Secret with the grant keys, or set secrets.generate" }}{{ end -}}
{{- if and (not $v.redis.url) (not $v.redis.dev.enabled) }}{{ $faults = append $faults "redis.url: say where Redis is, or set redis.dev.enabled for a trial" }}{{ end -}}
{{- if and $v.redis.url $v.redis.dev.enabled }}{{ $faults = append $faults "redis: give url or dev.enabled, not both" }}{{ end -}}
{{- if regexMatch "^rediss?://[^/]*:[^/]*@" $v.redis.url }}{{ $faults = append $faults "redis.url: leave the password out, it belongs into redis.existingSecret" }}{{ end -}}
{{- if and $v.redis.caKey (not $v.redis.existingSecret) }}{{ $faults = append $faults "redis.caKey: is a key of redis.existingSecret, which is missing" }}{{ end -}}
{{- if and $v.relay.autoscaling.enabled $v.relay.keda.enabled }}{{ $faults = append $faults "relay: enable autoscaling or keda, not both" }}{{ end -}}
{{- if and $v.relay.keda.enabled (not (concat $v.relay.keda.triggers $v.relay.keda.schedules)) }}{{ $faults = append $faults "relay.keda: needs triggers or schedules" }}{{ end -}}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}{{ $faults = append $faults "httpRoute.parentRefs: name the Gateway" }}{{ end -}}
{{- range list "redis" "grantKeys" "listen" "operationsListen" "instance" }}
{{- if hasKey $v.config . }}{{ $faults = append $faults (printf "config.%s: the chart sets this" .) }}{{ end -}}
{{- end }}
{{- range $i, $cluster := $v.config.clusters }}{{ range $part := list "credential" "brokerCredential" "relayCredential" }}
{{- with get $cluster $part }}{{ if or .secret .password }}{{ $faults = append $faults (printf "config.clusters[%d].%s: would stand readable in a ConfigMap; use secretFile or passwordFile and secrets.mounts" $i $part) }}{{ end }}{{ end -}}
{{- end }}{{ end -}}
{{- range ($v.config.signIn | default dict).oidc }}{{ if kindIs "map" . }}{{ if .clientSecret }}{{ $faults = append $faults "config.signIn.oidc: clientSecret would stand readable in a ConfigMap; use clientSecretFile and secrets.mounts" }}{{ end }}{{ end }}{{ end -}}
{{- if $faults }}{{ fail (printf "\n\nThe values can not be meant:\n  - %s\n" (join "\n  - " $faults)) }}{{ end -}}
{{- end }}
