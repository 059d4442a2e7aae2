{{- define "netpold.labels" -}}
app.kubernetes.io/name: netpold
app.kubernetes.io/component: {{ . }}
{{- end }}

{{- define "netpold.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* What the pods of all DaemonSets have alike. */}}
{{- define "netpold.pod" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
hostNetwork: true
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
{{- toYaml . | nindent 0 }}
{{- end }}
# The default profiles of runtimes forbid mounts, ptrace reads of other processes and files of the host.
securityContext:
  appArmorProfile:
    type: Unconfined
  seccompProfile:
    type: Unconfined
  seLinuxOptions:
    level: s0
    type: spc_t
{{- end }}

{{/* A container with these capabilities and no others. */}}
{{- define "netpold.only" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsUser: 0
capabilities:
  drop:
  - ALL
{{- with . }}
  add:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
