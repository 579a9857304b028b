{{/* Names, labels and images. */}}

{{- define "deskstream.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What a selector may hold: it must stay the same over upgrades. */}}
{{- define "deskstream.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "deskstream.labels" -}}
{{ include "deskstream.selector" . }}
app.kubernetes.io/part-of: deskstream
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* (list $ "ingest"): the image of a service. */}}
{{- define "deskstream.image" -}}
{{- $root := index . 0 -}}
{{- printf "%s/%s:%s" $root.Values.image.repository (index . 1) ($root.Values.image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}

{{/* (list $ "ingest"): where a service answers inside the cluster. */}}
{{- define "deskstream.url" -}}
{{- $root := index . 0 -}}
{{- $service := index (include "deskstream.services" $root | fromYaml) (index . 1) -}}
{{- printf "http://%s-%s:%v" (include "deskstream.fullname" $root) (index . 1) $service.port -}}
{{- end -}}

{{- define "deskstream.redisSecret" -}}
{{- .Values.redis.existingSecret | default (printf "%s-redis" (include "deskstream.fullname" .)) -}}
{{- end -}}

{{- define "deskstream.pseudonymSecret" -}}
{{- .Values.pseudonymKey.existingSecret | default (printf "%s-pseudonyms" (include "deskstream.fullname" .)) -}}
{{- end -}}
