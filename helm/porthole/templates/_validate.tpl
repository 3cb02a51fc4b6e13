{{/* Fails with a list of all invalid values. values.schema.json covers names and types; this covers how values depend on each other. */}}
{{- define "porthole.validate" -}}
{{- $errors := list -}}
{{- range list "General" "Redis" "Recordings" "Relay" "Components" "Monitoring" "PlaintextSecrets" "Credentials" "Mounts" "ConfigSize" }}
{{- $errors = concat $errors (include (printf "porthole.validate%s" .) $ | trim | splitList "\n") }}
{{- end }}
{{- with compact $errors }}{{ fail (printf "\n\nInvalid values:\n  - %s\n" (join "\n  - " .)) }}{{ end -}}
{{- end }}

{{/* Each of the following renders one line for each error. */}}

{{- define "porthole.validateGeneral" -}}
{{- $values := .Values -}}
{{- if hasKey $values "imagePullSecrets" }}
imagePullSecrets: not a value of this chart. Write this instead: global: {{ pick $values "imagePullSecrets" | toJson }}
{{- end }}
{{- if not $values.config.publicUrl }}
config.publicUrl: required. Set it to the https:// URL that browsers use for Porthole.
{{- end }}
{{- $host := include "porthole.host" . -}}
{{- if and (hasPrefix "http://" ($values.config.publicUrl | default "")) (not (regexMatch "^(localhost|127(\\.\\d{1,3}){3})$" $host)) }}
config.publicUrl: must begin with https://. http:// is for localhost only.
{{- end }}
{{- $isDnsName := and (regexMatch "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$" $host) (not (regexMatch "^[0-9.]+$" $host)) -}}
{{- if and $values.config.publicUrl (or $values.ingress.enabled $values.httpRoute.enabled) (not $isDnsName) }}
{{ printf "config.publicUrl: an Ingress and an HTTPRoute need a DNS name. %q is none." $host }}
{{- end }}
{{- if not $values.config.clusters }}
config.clusters: required. Add at least one Proxmox VE cluster.
{{- end }}
{{- if not $values.config.signIn }}
config.signIn: required. Add at least one sign-in method.
{{- end }}
{{- range $setting, $value := dict "redis" "redis" "recordings" "recordings" "grantKeys" "secrets.existingSecret" "grantKeysFile" "secrets.existingSecret" "listen" "" "operationsListen" "" "instance" "" }}
{{- if hasKey $values.config $setting }}
{{ printf "config.%s: set by the chart. Remove it%s." $setting (empty $value | ternary "" (printf " and use the value %s instead" $value)) }}
{{- end }}
{{- end }}
{{- range $setting := list "internalAddress" "internalListen" }}
{{- if hasKey ($values.config.sharing | default dict) $setting }}
{{ printf "config.sharing.%s: set by the chart. Remove it." $setting }}
{{- end }}
{{- end }}
{{- if and (not $values.secrets.existingSecret) (not $values.secrets.generate) }}
secrets.existingSecret: required. Set it to the name of the Secret that holds the grant keys, or set secrets.generate to true.
{{- end }}
{{- if and $values.httpRoute.enabled (not $values.httpRoute.parentRefs) }}
httpRoute.parentRefs: required if httpRoute.enabled is true. Add the Gateway that the route attaches to.
{{- end }}
{{- if and $values.httpRoute.enabled $values.ingress.enabled }}
ingress.enabled and httpRoute.enabled are mutually exclusive. Set only one of them. To move from one to the other, add the second one to extraObjects until DNS has changed.
{{- end }}
{{- end }}

{{- define "porthole.validateRedis" -}}
{{- $redis := .Values.redis -}}
{{- $modes := list -}}
{{- if $redis.url }}{{ $modes = append $modes "url" }}{{ end -}}
{{- if or $redis.sentinel.name $redis.sentinel.nodes }}{{ $modes = append $modes "sentinel" }}{{ end -}}
{{- if $redis.cluster.nodes }}{{ $modes = append $modes "cluster" }}{{ end -}}
{{- if not (or $modes $redis.valkey.enabled) }}
redis.url: required. Set redis.url, redis.sentinel or redis.cluster, or set redis.valkey.enabled to true.
{{- end }}
{{- if and $redis.valkey.enabled (not (or $redis.valkey.existingSecret .Values.secrets.generate)) }}
redis.valkey.existingSecret: required. Set it to the name of the Secret that holds the password, or set secrets.generate to true.
{{- end }}
{{- if gt (len $modes) 1 }}
{{ printf "redis: %s are mutually exclusive. Set only one of them." (join " and " $modes) }}
{{- end }}
{{- if and (has "sentinel" $modes) (not (and $redis.sentinel.name $redis.sentinel.nodes)) }}
redis.sentinel: incomplete. Set both redis.sentinel.name and redis.sentinel.nodes.
{{- end }}
{{- if regexMatch "^rediss?://[^/]*:[^/]*@" $redis.url }}
redis.url: must not contain a password. Store the password in a Secret and set redis.existingSecret.
{{- end }}
{{- if and $redis.url (not (regexMatch "^rediss?://[^/]" $redis.url)) }}
redis.url: must begin with redis:// or rediss:// and a host.
{{- end }}
{{- range $name, $key := dict "caKey" $redis.caKey "certKey" $redis.certKey "privateKeyKey" $redis.privateKeyKey "sentinel.passwordKey" $redis.sentinel.passwordKey }}
{{- if and $key (not $redis.existingSecret) }}
{{ printf "redis.%s: requires redis.existingSecret. Set it to the Secret that holds the key %q." $name $key }}
{{- end }}
{{- end }}
{{- end }}

{{- define "porthole.validateRecordings" -}}
{{- $values := .Values.recordings -}}
{{- if $values.enabled }}
{{- if not (or $values.persistence.enabled $values.s3.bucket) }}
recordings: no storage. Set recordings.s3.bucket, or set recordings.persistence.enabled to true.
{{- end }}
{{- if and $values.persistence.enabled $values.s3.bucket }}
recordings: persistence.enabled and s3.bucket are mutually exclusive. Set only one of them.
{{- end }}
{{- if not $values.existingSecret }}
recordings.existingSecret: required if recordings.enabled is true. Set it to the name of the Secret that holds the encryption keys, and back these keys up.
{{- end }}
{{- if and $values.s3.bucket (not $values.s3.existingSecret) }}
recordings.s3.existingSecret: required. Set it to the name of the Secret that holds the access key of the bucket.
{{- end }}
{{- include "porthole.validateRecordingsVolume" . }}
{{- with dig "limits" "memory" "" (include "porthole.component" (dict "root" $ "component" "relay") | fromYaml).values.resources }}
{{- $limit := include "porthole.mebibytes" . | int }}
{{- if gt (mul 4 (int $values.spool.memoryMiB)) $limit }}
{{ printf "recordings.spool.memoryMiB: %d is more than a quarter of relay.resources.limits.memory (%d MiB). Recordings can take twice that much memory. Set it to at most %d, or raise the limit." (int $values.spool.memoryMiB) $limit (div $limit 4) }}
{{- end }}
{{- end }}
{{- else }}
{{- range $section := list "access" "classes" }}
{{- range $index, $rule := get $.Values.config $section | default list }}
{{- $record := get $rule "record" }}
{{- if or (and (kindIs "map" $record) (ne (get $record "mode" | default "required") "try")) (eq (toString $record) "required") }}
{{ printf "config.%s[%d].record: requires recordings.enabled. Without a storage for recordings, consoles of this rule do not open. Set recordings.enabled to true, or remove it." $section $index }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Brokers and relays use the volume at the same time, and directories of recordings can be read only by the user who made them. */}}
{{- define "porthole.validateRecordingsVolume" -}}
{{- $values := .Values.recordings -}}
{{- if $values.persistence.enabled }}
{{- $nodes := list -}}
{{- $users := list -}}
{{- range $context := include "porthole.components" . | fromYamlArray }}
{{- $_ := set $context "root" $ }}
{{- $nodes = append $nodes (get .values.nodeSelector "kubernetes.io/hostname" | default "any") }}
{{- $users = append $users (get .values.containerSecurityContext "runAsUser" | default (get (include "porthole.podSecurityContext" $context | fromYaml) "runAsUser") | int64 | toString) }}
{{- end }}
{{- if and (eq $values.persistence.accessMode "ReadWriteOnce") (or (has "any" $nodes) (gt (len (uniq $nodes)) 1)) }}
recordings.persistence.accessMode: a ReadWriteOnce volume can be used on one node only, and pods on other nodes would not start. Use ReadWriteMany or recordings.s3, or keep all pods on one node: set common.nodeSelector to {kubernetes.io/hostname: NODE}.
{{- end }}
{{- if gt (len (uniq $users)) 1 }}
{{ printf "recordings.persistence: brokers and relays must run as the same user to read each other's files. runAsUser is %s. Set common.podSecurityContext.runAsUser instead, or use recordings.s3." (join " and " $users) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "porthole.validateRelay" -}}
{{- $relay := .Values.relay -}}
{{- if and $relay.autoscaling.enabled $relay.keda.enabled }}
relay: autoscaling.enabled and keda.enabled are mutually exclusive. Set only one of them.
{{- end }}
{{- if and $relay.keda.enabled (not (concat $relay.keda.triggers $relay.keda.schedules)) }}
relay.keda: incomplete. Add at least one entry to relay.keda.triggers or relay.keda.schedules.
{{- end }}
{{- if and $relay.keda.fallback (not $relay.keda.triggers) }}
relay.keda.fallback: requires relay.keda.triggers. KEDA doesn't support a fallback for schedules alone. Add a trigger or remove the fallback.
{{- end }}
{{- range $name := list "autoscaling" "keda" }}
{{- $autoscaler := get $relay $name }}
{{- if gt (int $autoscaler.minReplicas) (int $autoscaler.maxReplicas) }}
{{ printf "relay.%s.minReplicas: %d is more than relay.%s.maxReplicas (%d)." $name (int $autoscaler.minReplicas) $name (int $autoscaler.maxReplicas) }}
{{- end }}
{{- end }}
{{- range $index, $schedule := $relay.keda.schedules }}
{{- if gt (int .desiredReplicas) (int $relay.keda.maxReplicas) }}
{{ printf "relay.keda.schedules[%d].desiredReplicas: %d is more than relay.keda.maxReplicas (%d)." $index (int .desiredReplicas) (int $relay.keda.maxReplicas) }}
{{- end }}
{{- end }}
{{- with $relay.keda.fallback }}
{{- if gt (int .replicas) (int $relay.keda.maxReplicas) }}
{{ printf "relay.keda.fallback.replicas: %d is more than relay.keda.maxReplicas (%d)." (int .replicas) (int $relay.keda.maxReplicas) }}
{{- end }}
{{- end }}
{{- $autoscaling := $relay.autoscaling }}
{{- if and $autoscaling.enabled (not (or $autoscaling.targetSessionsPerPod $autoscaling.targetCPUUtilizationPercentage $autoscaling.extraMetrics)) }}
relay.autoscaling: no metric. Set targetSessionsPerPod or targetCPUUtilizationPercentage.
{{- end }}
{{- if and $autoscaling.targetCPUUtilizationPercentage (not (dig "requests" "cpu" "" $relay.resources)) }}
relay.autoscaling.targetCPUUtilizationPercentage: requires relay.resources.requests.cpu, of which it is a percentage.
{{- end }}
{{- $capacity := (.Values.config.limits | default dict).consolesPerRelay | default 1000 | int }}
{{- if gt (int $relay.autoscaling.targetSessionsPerPod) $capacity }}
{{ printf "relay.autoscaling.targetSessionsPerPod: %d is never reached, because a relay carries at most %d consoles (config.limits.consolesPerRelay)." (int $relay.autoscaling.targetSessionsPerPod) $capacity }}
{{- end }}
{{- end }}

{{- define "porthole.validateComponents" -}}
{{- range include "porthole.components" . | fromYamlArray }}
{{- $component := .component }}
{{- $values := .values }}
{{- if and (not $values.serviceAccount.create) (not $values.serviceAccount.name) }}
{{ printf "%s.serviceAccount.name: required if serviceAccount.create is false. Set it to an existing ServiceAccount." $component }}
{{- end }}
{{- $service := $values.service }}
{{- range $field := list "nodePort" "externalTrafficPolicy" }}
{{- if and (get $service $field) (eq $service.type "ClusterIP") }}
{{ printf "%s.service.%s: requires %s.service.type NodePort or LoadBalancer." $component $field $component }}
{{- end }}
{{- end }}
{{- range $field := list "loadBalancerClass" "loadBalancerIP" "loadBalancerSourceRanges" }}
{{- if and (get $service $field) (ne $service.type "LoadBalancer") }}
{{ printf "%s.service.%s: requires %s.service.type LoadBalancer." $component $field $component }}
{{- end }}
{{- end }}
{{- if and $values.podMonitor.enabled $values.serviceMonitor.enabled }}
{{ printf "%s: podMonitor.enabled and serviceMonitor.enabled are mutually exclusive. Set only one of them." $component }}
{{- end }}
{{- $minimum := include "porthole.minimumGracePeriod" (dict "root" $ "component" $component "values" $values) | int -}}
{{- $forSpool := and (eq $component "relay") $.Values.recordings.enabled | ternary " + recordings.spool.drainSeconds + 5" "" -}}
{{- $given := $values.terminationGracePeriodSeconds -}}
{{- if and (ne (toString $given) "<nil>") (lt (int $given) $minimum) }}
{{ printf "%s.terminationGracePeriodSeconds: %d is too short. Set it to at least %d (preStopSeconds + config.limits.drainSeconds + 15%s), or remove it." $component (int $given) $minimum $forSpool }}
{{- end }}
{{- end }}
{{- end }}

{{- define "porthole.validateMonitoring" -}}
{{- $alerts := list -}}
{{- range (.Files.Get "files/rules.yaml" | fromYaml).groups }}{{ range .rules }}{{ with .alert }}{{ $alerts = append $alerts . }}{{ end }}{{ end }}{{ end -}}
{{- range .Values.prometheusRule.disabled }}
{{- if not (has . $alerts) }}
{{ printf "prometheusRule.disabled: unknown alert %s. Known alerts: %s." . (join ", " (uniq $alerts)) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Each service needs a complete credential for each cluster. Never quotes a value, because a secret is easily pasted into `token`. */}}
{{- define "porthole.validateCredentials" -}}
{{- range $index, $cluster := .Values.config.clusters }}
{{- $path := printf "config.clusters[%d]" $index }}
{{- if not (or $cluster.credential (and $cluster.brokerCredential $cluster.relayCredential)) }}
{{ printf "%s.credential: required. Set it, or set brokerCredential and relayCredential." $path }}
{{- end }}
{{- range $name := list "credential" "brokerCredential" "relayCredential" }}
{{- with get $cluster $name }}
{{- $isToken := and .token (or .secretFile .secret) (not .username) }}
{{- $isPassword := and .username (or .passwordFile .password) (not .token) }}
{{- if not (or $isToken $isPassword) }}
{{ printf "%s.%s: incomplete. Set either token and secretFile, or username and passwordFile." $path $name }}
{{- end }}
{{- if and .token (not (regexMatch "^[^\\s!:/]+@[\\w.-]+![\\w.-]+$" .token)) }}
{{ printf "%s.%s.token: must be user@realm!name, without the secret." $path $name }}
{{- end }}
{{- if and .username (not (regexMatch "^[^\\s!:/]+@[\\w.-]+$" .username)) }}
{{ printf "%s.%s.username: must be user@realm." $path $name }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Without its mount, the service that reads a file never starts. */}}
{{- define "porthole.validateMounts" -}}
{{- $names := list -}}
{{- range .Values.secrets.mounts }}
{{- if has .name (concat $names (list "redis" "grant-keys" "recordings" "recordings-s3")) }}
{{ printf "secrets.mounts: the name %s is in use already. Choose another one." .name }}
{{- end }}
{{- $names = append $names .name }}
{{- end }}
{{- range include "porthole.components" . | fromYamlArray }}
{{- $component := .component }}
{{- $mounted := list }}
{{- range $.Values.secrets.mounts }}{{ if has $component .for }}{{ $mounted = append $mounted .name }}{{ end }}{{ end -}}
{{- range .values.extraVolumeMounts }}{{ $mounted = append $mounted (trimPrefix "/etc/porthole/secrets/" .mountPath | splitList "/" | first) }}{{ end -}}
{{- $config := include "porthole.config" (dict "root" $ "component" $component) | fromYaml }}
{{- range regexFindAll "/etc/porthole/secrets/[^/\"]+" (omit $config "redis" "recordings" | toJson) -1 | uniq }}
{{- $name := base . }}
{{- if not (has $name $mounted) }}
{{ printf "secrets.mounts: config refers to %s, which the %s doesn't mount. Add {name: %s, secretName: …, for: [%s]}." . $component $name $component }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Linux allows 128 KiB for one environment variable. */}}
{{- define "porthole.validateConfigSize" -}}
{{- $size := include "porthole.config" (dict "root" . "component" "broker") | len -}}
{{- if gt $size 128000 }}
{{ printf "config: %d bytes are too long. At most 128000 fit into the pod. Move config.access and config.classes to a file, mount that as a Secret with secrets.mounts, and set config.accessFile to its path." $size }}
{{- end }}
{{- end }}

{{- define "porthole.validatePlaintextSecrets" -}}
{{- range include "porthole.plaintextSecrets" (dict "path" "config" "value" .Values.config) | trim | splitList "\n" }}
{{- with trim . }}
{{ printf "%s: would be stored in plain text. Store it in a Secret, mount that with secrets.mounts, and set %sFile to the path." . (splitList "." . | last) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Paths of secrets in plain text, one per line: {path, value}. */}}
{{- define "porthole.plaintextSecrets" -}}
{{- $path := .path -}}
{{- if kindIs "map" .value }}
{{- range $key, $inner := .value }}
{{- if and (has $key (list "secret" "password" "clientSecret" "toolKeys")) (kindIs "string" $inner) }}
{{ $path }}.{{ $key }}
{{- else }}{{ include "porthole.plaintextSecrets" (dict "path" (printf "%s.%s" $path $key) "value" $inner) }}{{ end }}
{{- end }}
{{- else if kindIs "slice" .value }}
{{- range $index, $inner := .value }}{{ include "porthole.plaintextSecrets" (dict "path" (printf "%s[%d]" $path $index) "value" $inner) }}{{ end }}
{{- end }}
{{- end }}
