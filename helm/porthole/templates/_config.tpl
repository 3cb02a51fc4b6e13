{{/* Configuration of a component: {root, component}. Settings that relays don't read are left out, so that changing them doesn't restart relays. */}}
{{- define "porthole.config" -}}
{{- $config := deepCopy .root.Values.config -}}
{{- $clusters := list -}}
{{- range $config.clusters }}
{{- $credential := get . (printf "%sCredential" $.component) | default .credential -}}
{{- $cluster := omit . "brokerCredential" "relayCredential" "credential" -}}
{{- with $credential }}{{ $_ := set $cluster "credential" . }}{{ end -}}
{{- $clusters = append $clusters $cluster }}
{{- end }}
{{- if $clusters }}{{ $_ := set $config "clusters" $clusters }}{{ end -}}
{{- $_ := set $config "redis" (include "porthole.redisConfig" .root | fromYaml) -}}
{{- if .root.Values.recordings.enabled }}{{ $_ := set $config "recordings" (include "porthole.recordingsConfig" . | fromYaml) }}{{ end -}}
{{- if eq .component "relay" }}
{{- $config = omit $config "access" "classes" "accessFile" "frameAncestors" "kubernetes" "lti" "showOperatorName" "relayUrl" -}}
{{- /* The configuration requires a sign-in method, but users don't sign in at relays. */ -}}
{{- $_ := set $config "signIn" (dict "header" (dict "from" (list "127.0.0.1"))) -}}
{{- else if .root.Values.rbac.podDeletionCost }}
{{- $_ := set $config "kubernetes" (mergeOverwrite (dict "leaseName" (printf "%s-broker" (include "porthole.fullname" .root)) "relaySelector" (printf "app.kubernetes.io/name=%s,app.kubernetes.io/instance=%s,app.kubernetes.io/component=relay" (include "porthole.name" .root) .root.Release.Name)) ($config.kubernetes | default dict)) -}}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* Whether Porthole uses redis.valkey: "true" or empty. Another Redis takes precedence, so that Valkey can keep running for pods of the previous configuration. */}}
{{- define "porthole.usesValkey" -}}
{{- $redis := .Values.redis -}}
{{- if and $redis.valkey.enabled (not (or $redis.url $redis.sentinel.name $redis.cluster.nodes)) }}true{{ end -}}
{{- end }}

{{- define "porthole.valkeyName" -}}{{ include "porthole.fullname" . }}-valkey{{- end }}

{{- define "porthole.valkeySecretName" -}}{{ .Values.redis.valkey.existingSecret | default (include "porthole.valkeyName" .) }}{{- end }}

{{/* Name of the Secret with the password of the Redis that Porthole uses, or empty. */}}
{{- define "porthole.redisSecretName" -}}
{{- if include "porthole.usesValkey" . }}{{ include "porthole.valkeySecretName" . }}{{ else }}{{ .Values.redis.existingSecret }}{{ end -}}
{{- end }}

{{/* The `redis` setting, built from the value `redis`. */}}
{{- define "porthole.redisConfig" -}}
{{- $values := .Values.redis -}}
{{- $secretPath := "/etc/porthole/secrets/redis/" -}}
{{- $redis := dict -}}
{{- $usesValkey := include "porthole.usesValkey" . -}}
{{- if $usesValkey }}
{{- $_ := set $redis "url" (printf "redis://%s:6379" (include "porthole.valkeyName" .)) -}}
{{- $_ := set $redis "passwordFile" (print $secretPath $values.valkey.passwordKey) }}
{{- else if $values.sentinel.name }}
{{- $sentinel := dict "name" $values.sentinel.name "nodes" $values.sentinel.nodes -}}
{{- with $values.sentinel.db }}{{ $_ := set $sentinel "db" (int .) }}{{ end -}}
{{- with $values.sentinel.username }}{{ $_ := set $sentinel "username" . }}{{ end -}}
{{- with $values.sentinel.passwordKey }}{{ $_ := set $sentinel "passwordFile" (print $secretPath .) }}{{ end -}}
{{- $_ := set $redis "sentinel" $sentinel }}
{{- else if $values.cluster.nodes }}{{ $_ := set $redis "cluster" (dict "nodes" $values.cluster.nodes) }}
{{- else }}{{ $_ := set $redis "url" $values.url }}{{ end -}}
{{- if not $usesValkey }}
{{- with $values.username }}{{ $_ := set $redis "username" . }}{{ end -}}
{{- if $values.tls }}{{ $_ := set $redis "tls" true }}{{ end -}}
{{- with $values.serverName }}{{ $_ := set $redis "serverName" . }}{{ end -}}
{{- if $values.existingSecret }}
{{- range $setting, $key := dict "passwordFile" $values.passwordKey "caFile" $values.caKey "certFile" $values.certKey "keyFile" $values.privateKeyKey }}
{{- with $key }}{{ $_ := set $redis $setting (print $secretPath .) }}{{ end -}}
{{- end }}{{ end }}{{ end -}}
{{- toYaml $redis }}
{{- end }}

{{/* NetworkPolicy ports for Redis: the ports in redis.url, redis.sentinel and redis.cluster, and redis.extraPorts. */}}
{{- define "porthole.redisPorts" -}}
{{- $values := .Values.redis -}}
{{- $ports := list -}}
{{- if $values.url }}
{{- $address := regexReplaceAll "^rediss?://([^@/]*@)?" $values.url "" | splitList "/" | first -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" $address | trimPrefix ":" | default "6379" | int) }}
{{- else }}
{{- $ports = append $ports 6379 }}
{{- range $values.sentinel.nodes }}{{ $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default "26379" | int) }}{{ end }}
{{- range $values.cluster.nodes }}{{ $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default "6379" | int) }}{{ end }}
{{- end }}
{{- if $values.valkey.enabled }}{{ $ports = append $ports 6379 }}{{ end }}
{{- range $values.extraPorts }}{{ $ports = append $ports (int .) }}{{ end }}
{{- range uniq $ports }}
- port: {{ . }}
{{- end }}
{{- end }}
