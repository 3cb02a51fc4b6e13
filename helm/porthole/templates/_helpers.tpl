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

{{/* Those of ours win: by some of them pods are selected. */}}
{{- define "porthole.labels" -}}
{{- $ours := dict "app.kubernetes.io/version" .root.Chart.AppVersion "app.kubernetes.io/managed-by" .root.Release.Service "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version) -}}
{{- merge (include "porthole.selector" . | fromYaml) $ours (.labels | default dict) .root.Values.commonLabels | toYaml }}
{{- end }}

{{- define "porthole.grantSecret" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-keys" (include "porthole.fullname" .)) }}
{{- end }}

{{/* registry/repository:tag of one image; the digest wins, and the registry of all wins over its own. */}}
{{- define "porthole.image" -}}
{{- $registry := .root.Values.global.imageRegistry | default .image.registry -}}
{{- $which := printf ":%s" (.image.tag | default .root.Chart.AppVersion) -}}
{{- with .image.digest }}{{ $which = printf "@%s" . }}{{ end -}}
{{- printf "%s%s%s" (ternary (printf "%s/" $registry) "" (ne $registry "")) .image.repository $which }}
{{- end }}

{{/* Name, labels and annotations of an object: {root, component, name}, and {labels, annotations} of its own. */}}
{{- define "porthole.meta" -}}
name: {{ .name }}
labels: {{- include "porthole.labels" . | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "porthole.serviceAccount" -}}
{{- .values.serviceAccount.name | default (printf "%s-%s" (include "porthole.fullname" .root) .component) }}
{{- end }}

{{/* How Redis is reached, as Porthole's own setting. */}}
{{- define "porthole.redis" -}}
{{- $v := .Values.redis -}}
{{- $in := "/etc/porthole/secrets/redis/" -}}
{{- $redis := dict -}}
{{- if $v.dev.enabled }}{{ $_ := set $redis "url" (printf "redis://%s-valkey:6379" (include "porthole.fullname" .)) }}
{{- else if $v.sentinel.name }}
{{- $sentinel := dict "name" $v.sentinel.name "nodes" $v.sentinel.nodes -}}
{{- with $v.sentinel.db }}{{ $_ := set $sentinel "db" (int .) }}{{ end -}}
{{- with $v.sentinel.username }}{{ $_ := set $sentinel "username" . }}{{ end -}}
{{- with $v.sentinel.passwordKey }}{{ $_ := set $sentinel "passwordFile" (print $in .) }}{{ end -}}
{{- $_ := set $redis "sentinel" $sentinel }}
{{- else if $v.cluster.nodes }}{{ $_ := set $redis "cluster" (dict "nodes" $v.cluster.nodes) }}
{{- else }}{{ $_ := set $redis "url" $v.url }}{{ end -}}
{{- if not $v.dev.enabled }}
{{- with $v.username }}{{ $_ := set $redis "username" . }}{{ end -}}
{{- if $v.tls }}{{ $_ := set $redis "tls" true }}{{ end -}}
{{- with $v.serverName }}{{ $_ := set $redis "serverName" . }}{{ end -}}
{{- if $v.existingSecret }}
{{- range $setting, $key := dict "passwordFile" $v.passwordKey "caFile" $v.caKey "certFile" $v.certKey "keyFile" $v.keyKey }}
{{- with $key }}{{ $_ := set $redis $setting (print $in .) }}{{ end -}}
{{- end }}{{ end }}{{ end -}}
{{- toYaml $redis }}
{{- end }}

{{/* Ports at which Redis is: those in its addresses, sentinels' too, and what it names itself. */}}
{{- define "porthole.redisPorts" -}}
{{- $v := .Values.redis -}}
{{- $ports := list -}}
{{- if $v.url }}
{{- $host := regexReplaceAll "^rediss?://([^@/]*@)?" $v.url "" | splitList "/" | first -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" $host | trimPrefix ":" | default "6379" | int) }}
{{- else }}
{{- $ports = append $ports 6379 }}
{{- range $v.sentinel.nodes }}{{ $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default "26379" | int) }}{{ end }}
{{- range $v.cluster.nodes }}{{ $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default "6379" | int) }}{{ end }}
{{- end }}
{{- range $v.extraPorts }}{{ $ports = append $ports (int .) }}{{ end }}
{{- range uniq $ports }}
- port: {{ . }}
{{- end }}
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
{{- $_ := set $config "redis" (include "porthole.redis" .root | fromYaml) -}}
{{- if eq .component "relay" }}
{{- $config = omit $config "access" "classes" "accessFile" "frameAncestors" "kubernetes" "showOperatorName" "relayUrl" -}}
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
{{- range $old, $new := dict "imagePullSecrets" "global.imagePullSecrets" }}
{{- if hasKey $v $old }}{{ $faults = append $faults (printf "%s: is called %s now; move it there:\n\n%s" $old $new (dict "global" (dict "imagePullSecrets" (get $v $old)) | toYaml | indent 6)) }}{{ end -}}
{{- end }}
{{- if not $v.config.publicUrl }}{{ $faults = append $faults "config.publicUrl: say under which https:// URL browsers reach Porthole" }}{{ end -}}
{{- if not $v.config.clusters }}{{ $faults = append $faults "config.clusters: name at least one Proxmox cluster" }}{{ end -}}
{{- if and (not $v.secrets.existingSecret) (not $v.secrets.generate) }}{{ $faults = append $faults "secrets.existingSecret: name a Secret with the grant keys, or set secrets.generate" }}{{ end -}}
{{- $ways := list -}}
{{- if $v.redis.url }}{{ $ways = append $ways "url" }}{{ end -}}
{{- if or $v.redis.sentinel.name $v.redis.sentinel.nodes }}{{ $ways = append $ways "sentinel" }}{{ end -}}
{{- if $v.redis.cluster.nodes }}{{ $ways = append $ways "cluster" }}{{ end -}}
{{- if $v.redis.dev.enabled }}{{ $ways = append $ways "dev.enabled" }}{{ end -}}
{{- if not $ways }}{{ $faults = append $faults "redis.url: say where Redis is (or redis.sentinel, redis.cluster), or set redis.dev.enabled for a trial" }}{{ end -}}
{{- if gt (len $ways) 1 }}{{ $faults = append $faults (printf "redis: give one of %s, not several" (join ", " $ways)) }}{{ end -}}
{{- if and (has "sentinel" $ways) (not (and $v.redis.sentinel.name $v.redis.sentinel.nodes)) }}{{ $faults = append $faults "redis.sentinel: needs name and nodes" }}{{ end -}}
{{- if regexMatch "^rediss?://[^/]*:[^/]*@" $v.redis.url }}{{ $faults = append $faults "redis.url: leave the password out, it belongs into redis.existingSecret" }}{{ end -}}
{{- range $key := list "caKey" "certKey" "keyKey" }}
{{- if and (get $v.redis $key) (not $v.redis.existingSecret) }}{{ $faults = append $faults (printf "redis.%s: is a key of redis.existingSecret, which is missing" $key) }}{{ end -}}
{{- end }}
{{- if and $v.redis.sentinel.passwordKey (not $v.redis.existingSecret) }}{{ $faults = append $faults "redis.sentinel.passwordKey: is a key of redis.existingSecret, which is missing" }}{{ end -}}
{{- if and $v.relay.autoscaling.enabled $v.relay.keda.enabled }}{{ $faults = append $faults "relay: enable autoscaling or keda, not both" }}{{ end -}}
{{- if and $v.relay.keda.enabled (not (concat $v.relay.keda.triggers $v.relay.keda.schedules)) }}{{ $faults = append $faults "relay.keda: needs triggers or schedules" }}{{ end -}}
{{- if and $v.relay.keda.fallbackReplicas (not $v.relay.keda.triggers) }}{{ $faults = append $faults "relay.keda.fallbackReplicas: KEDA takes it with triggers only, not with schedules alone" }}{{ end -}}
{{- range list "broker" "relay" }}
{{- $its := get $v . }}
{{- if and (not $its.serviceAccount.create) (not $its.serviceAccount.name) }}{{ $faults = append $faults (printf "%s.serviceAccount: name it, or let it be created" .) }}{{ end -}}
{{- end }}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}{{ $faults = append $faults "httpRoute.parentRefs: name the Gateway" }}{{ end -}}
{{- range list "redis" "grantKeys" "listen" "operationsListen" "instance" }}
{{- if hasKey $v.config . }}{{ $faults = append $faults (printf "config.%s: the chart sets this" .) }}{{ end -}}
{{- end }}
{{- range include "porthole.readable" (dict "path" "config" "value" $v.config) | trim | splitList "\n" }}
{{- with trim . }}{{ $faults = append $faults (printf "%s: would stand readable in a ConfigMap; use %sFile and secrets.mounts" . (splitList "." . | last)) }}{{ end -}}
{{- end }}
{{- if $faults }}{{ fail (printf "\n\nThe values can not be meant:\n  - %s\n" (join "\n  - " $faults)) }}{{ end -}}
{{- end }}

{{/* Where secrets stand in the settings themselves, a path a line: {path, value}. */}}
{{- define "porthole.readable" -}}
{{- $path := .path -}}
{{- if kindIs "map" .value }}
{{- range $key, $inner := .value }}
{{- if and (has $key (list "secret" "password" "clientSecret")) (kindIs "string" $inner) }}
{{ $path }}.{{ $key }}
{{- else }}{{ include "porthole.readable" (dict "path" (printf "%s.%s" $path $key) "value" $inner) }}{{ end }}
{{- end }}
{{- else if kindIs "slice" .value }}
{{- range $i, $inner := .value }}{{ include "porthole.readable" (dict "path" (printf "%s[%d]" $path $i) "value" $inner) }}{{ end }}
{{- end }}
{{- end }}
