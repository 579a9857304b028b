{{/* What all pods share. Rendered with nindent into a pod's spec. */}}
{{- define "deskstream.podDefaults" -}}
automountServiceAccountToken: false
# Kubernetes would add variables like GATEWAY_PORT=tcp://..., named as settings are.
enableServiceLinks: false
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "deskstream.containerDefaults" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* dict "root" $ "name" "ingest" "service" ITS-ROW "values" ITS-VALUES */}}
{{- define "deskstream.env" -}}
{{- $root := .root -}}
{{- $prefix := upper .name -}}
- name: KAFKA_PARTITIONS
  value: {{ $root.Values.kafka.partitions | quote }}
{{- if has "kafka" .service.stores }}
{{ include "deskstream.kafkaEnv" $root }}
{{- end }}
{{- if has "redis" .service.stores }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "deskstream.redisSecret" $root }}
      key: {{ $root.Values.redis.secretKey }}
{{- if $root.Values.redis.caSecret }}
- name: REDIS_SSL_CA_FILE
  value: /etc/redis/ca.crt
{{- end }}
{{- end }}
{{- if eq .name "ingest" }}
- name: INGEST_PSEUDONYM_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "deskstream.pseudonymSecret" $root }}
      key: {{ $root.Values.pseudonymKey.secretKey }}
{{- end }}
{{- if .service.models }}
- name: CLASSIFIER_MODELS
  value: /models
- name: CLASSIFIER_INGEST_URL
  value: {{ include "deskstream.url" (list $root "ingest") }}
- name: NUMBA_CACHE_DIR
  value: /cache/kernels
- name: DESKSTREAM_CACHE
  value: /cache/encoder
{{- end }}
{{- if and .service.queues (not $root.Values.simulator.enabled) }}
- name: {{ $prefix }}_QUEUES_FILE
  value: /etc/deskstream/queues.json
{{- end }}
{{- if eq .name "gateway" }}
{{- range list "ingest" "classifier" "semantic" "forecaster" }}
- name: GATEWAY_{{ upper . }}_URL
  value: {{ include "deskstream.url" (list $root .) }}
{{- end }}
{{- end }}
{{- range $variable, $value := .values.env }}
- name: {{ $variable }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Where Kafka is and how it is entered: of every container that speaks with it. */}}
{{- define "deskstream.kafkaEnv" -}}
{{- $security := .Values.kafka.security -}}
- name: KAFKA_BOOTSTRAP_SERVERS
  value: {{ .Values.kafka.bootstrapServers | quote }}
- name: KAFKA_SECURITY_PROTOCOL
  value: {{ $security.protocol }}
{{- if hasPrefix "SASL" $security.protocol }}
- name: KAFKA_SASL_MECHANISM
  value: {{ $security.mechanism }}
- name: KAFKA_SASL_USERNAME
  valueFrom:
    secretKeyRef: {name: {{ $security.existingSecret }}, key: {{ $security.usernameKey }}}
- name: KAFKA_SASL_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ $security.existingSecret }}, key: {{ $security.passwordKey }}}
{{- end }}
{{- if $security.caSecret }}
- name: KAFKA_SSL_CA_FILE
  value: /etc/kafka/ca.crt
{{- end }}
{{- if $security.certificateSecret }}
- name: KAFKA_SSL_CERT_FILE
  value: /etc/kafka/tls.crt
- name: KAFKA_SSL_KEY_FILE
  value: /etc/kafka/tls.key
{{- end }}
{{- end -}}

{{/* Empty where there is no file to mount; the volume goes with it. */}}
{{- define "deskstream.kafkaMount" -}}
{{- if or .Values.kafka.security.caSecret .Values.kafka.security.certificateSecret -}}
- {name: kafka, mountPath: /etc/kafka, readOnly: true}
{{- end }}
{{- end -}}

{{- define "deskstream.kafkaVolume" -}}
{{- $security := .Values.kafka.security -}}
{{- if or $security.caSecret $security.certificateSecret -}}
- name: kafka
  projected:
    defaultMode: 0440
    sources:
      {{- with $security.caSecret }}
      - secret:
          name: {{ . }}
          items: [{key: {{ $security.caKey }}, path: ca.crt}]
      {{- end }}
      {{- with $security.certificateSecret }}
      - secret:
          name: {{ . }}
          items:
            - {key: {{ $security.certificateKey }}, path: tls.crt}
            - {key: {{ $security.keyKey }}, path: tls.key}
      {{- end }}
{{- end }}
{{- end -}}

{{/* dict "root" $ "service" ITS-ROW */}}
{{- define "deskstream.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if has "kafka" .service.stores }}
{{ include "deskstream.kafkaMount" .root }}
{{- end }}
{{- if and (has "redis" .service.stores) .root.Values.redis.caSecret }}
- {name: redis, mountPath: /etc/redis, readOnly: true}
{{- end }}
{{- if .service.models }}
- {name: models, mountPath: /models}
- {name: cache, mountPath: /cache}
{{- end }}
{{- if and .service.queues (not .root.Values.simulator.enabled) }}
- {name: queues, mountPath: /etc/deskstream, readOnly: true}
{{- end }}
{{- end -}}

{{- define "deskstream.volumes" -}}
{{- $name := include "deskstream.fullname" .root -}}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- if has "kafka" .service.stores }}
{{ include "deskstream.kafkaVolume" .root }}
{{- end }}
{{- if and (has "redis" .service.stores) .root.Values.redis.caSecret }}
- name: redis
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ .root.Values.redis.caSecret }}
          items: [{key: {{ .root.Values.redis.caKey }}, path: ca.crt}]
{{- end }}
{{- if .service.models }}
- name: cache
  emptyDir: {sizeLimit: 1Gi}
- name: models
  {{- if .root.Values.models.persistent }}
  persistentVolumeClaim:
    claimName: {{ .root.Values.models.existingClaim | default (printf "%s-models" $name) }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- end }}
{{- if and .service.queues (not .root.Values.simulator.enabled) }}
- name: queues
  configMap:
    name: {{ $name }}-queues
{{- end }}
{{- end -}}

{{/* Checksums: a pod reads files and Secrets once, so another content needs another pod. */}}
{{- define "deskstream.podAnnotations" -}}
{{- if and .service.queues (not .root.Values.simulator.enabled) }}
checksum/queues: {{ toJson .root.Values.queueDirectory | sha256sum }}
{{- end }}
{{- if has "redis" .service.stores }}
checksum/redis: {{ toJson .root.Values.redis | sha256sum }}
{{- end }}
{{- with .values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Fills the volumes of a pod that reads models with what the image brings. */}}
{{- define "deskstream.seed" -}}
- name: seed
  image: {{ include "deskstream.image" (list . "classifier") }}
  {{- include "deskstream.containerDefaults" . | nindent 2 }}
  command:
    - sh
    - -euc
    - |
      {{- .Files.Get "files/seed.sh" | nindent 6 }}
    - seed.sh
    - /models
    - /volume
    - /numba
    - /cache/kernels
  resources:
    requests: {cpu: 50m, memory: 64Mi}
    limits: {memory: 256Mi}
  volumeMounts:
    - {name: models, mountPath: /volume}
    - {name: cache, mountPath: /cache}
    - {name: tmp, mountPath: /tmp}
{{- end -}}

{{/* Where pods of a service may run: its values' own words. */}}
{{- define "deskstream.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}
