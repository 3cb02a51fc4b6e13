{{/* Whether recordings are stored in a volume: "true" or empty. */}}
{{- define "porthole.hasRecordingsVolume" -}}
{{- if and .Values.recordings.enabled .Values.recordings.persistence.enabled }}true{{ end -}}
{{- end }}

{{- define "porthole.recordingsClaimName" -}}
{{- .Values.recordings.persistence.existingClaim | default (printf "%s-recordings" (include "porthole.fullname" .)) }}
{{- end }}

{{/* The `recordings` setting, built from the value `recordings`: {root, component}. Only relays have a spool. */}}
{{- define "porthole.recordingsConfig" -}}
{{- $values := .root.Values.recordings -}}
{{- $secretPath := "/etc/porthole/secrets/recordings-s3/" -}}
{{- $storage := dict -}}
{{- if $values.persistence.enabled }}{{ $_ := set $storage "directory" "/var/lib/porthole/recordings" }}
{{- else }}
{{- $s3 := pick $values.s3 "bucket" "pathStyle" -}}
{{- range $setting := list "endpoint" "region" "prefix" }}{{ with get $values.s3 $setting }}{{ $_ := set $s3 $setting . }}{{ end }}{{ end -}}
{{- range $setting, $key := dict "accessKeyIdFile" $values.s3.accessKeyIdKey "secretAccessKeyFile" $values.s3.secretAccessKeyKey "caFile" $values.s3.caKey }}
{{- with $key }}{{ $_ := set $s3 $setting (print $secretPath .) }}{{ end -}}
{{- end }}
{{- $_ := set $storage "s3" $s3 }}
{{- end }}
{{- $recordings := dict "encryptionKeysFile" (print "/etc/porthole/secrets/recordings/" $values.encryptionKeysKey) "storage" $storage -}}
{{- if eq .component "relay" }}
{{- $spool := dict "directory" "/var/lib/porthole/spool" -}}
{{- range $setting := list "diskMiB" "memoryMiB" "flushSeconds" "chunkSeconds" "drainSeconds" }}{{ $_ := set $spool $setting (int (get $values.spool $setting)) }}{{ end -}}
{{- $_ := set $recordings "spool" $spool }}
{{- end }}
{{- toYaml $recordings }}
{{- end }}

{{- define "porthole.recordingsVolumeMounts" -}}
{{- $values := .root.Values.recordings -}}
{{- if $values.enabled }}
- { name: recording-keys, mountPath: /etc/porthole/secrets/recordings, readOnly: true }
{{- if $values.persistence.enabled }}
- { name: recordings, mountPath: /var/lib/porthole/recordings }
{{- else }}
- { name: recordings-s3, mountPath: /etc/porthole/secrets/recordings-s3, readOnly: true }
{{- end }}
{{- if eq .component "relay" }}
- { name: spool, mountPath: /var/lib/porthole/spool }
{{- end }}
{{- end }}
{{- end }}

{{- define "porthole.recordingsVolumes" -}}
{{- $values := .root.Values.recordings -}}
{{- if $values.enabled }}
- name: recording-keys
  secret: { secretName: {{ $values.existingSecret }} }
{{- if $values.persistence.enabled }}
- name: recordings
  persistentVolumeClaim: { claimName: {{ include "porthole.recordingsClaimName" .root }} }
{{- else }}
- name: recordings-s3
  secret: { secretName: {{ $values.s3.existingSecret }} }
{{- end }}
{{- if eq .component "relay" }}
- name: spool
  # Twice what the relay uses: it counts bytes, and Kubernetes, which evicts pods at the limit, counts blocks.
  emptyDir: { sizeLimit: {{ mul 2 (int $values.spool.diskMiB) }}Mi }
{{- end }}
{{- end }}
{{- end }}

{{/* NetworkPolicy port of the S3 storage. */}}
{{- define "porthole.s3Port" -}}
{{- $endpoint := urlParse .Values.recordings.s3.endpoint -}}
{{- regexFind ":[0-9]+$" $endpoint.host | trimPrefix ":" | default (eq $endpoint.scheme "http" | ternary "80" "443") }}
{{- end }}

{{/* A quantity of memory in MiB, rounded down. */}}
{{- define "porthole.mebibytes" -}}
{{- $factors := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 -}}
{{- if kindIs "string" . }}
{{- divf (mulf (regexFind "^[0-9.]+" . | float64) (get $factors (regexFind "[A-Za-z]*$" .) | default 0.001)) 1048576 | floor | int64 }}
{{- else }}{{ divf . 1048576 | floor | int64 }}{{ end -}}
{{- end }}
