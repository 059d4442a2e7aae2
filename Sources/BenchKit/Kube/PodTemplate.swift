/// A Pod as a kube-apiserver 1.36 writes it, 5.7 kB with its managedFields, without kind and apiVersion as in a list: recorded
/// (Tests/KubeRecordings/record, p-pod-sample.json) and made again with other names.
struct PodTemplate: Sendable {
    private static let text = #"""
        {"metadata":{"name":"^NAME^","namespace":"^NAMESPACE^","uid":"^UID^","resourceVersion":"^VERSION^","generati\#
        on":1,"creationTimestamp":"2026-11-26T21:00:35Z","labels":{"app":"^APP^","app.kubernetes.io/name":"^APP^","a\#
        pp.kubernetes.io/part-of":"perf","pod-template-hash":"7d9f8b6c5d","tier":"web","topology.kubernetes.io/zone"\#
        :"z0"},"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-01T00:00:00Z","prometheus.io/scrape":"tru\#
        e"},"managedFields":[{"manager":"unknown","operation":"Update","apiVersion":"v1","time":"2026-11-26T21:00:35\#
        Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:annotations":{".":{},"f:kubectl.kubernetes.io/restar\#
        tedAt":{},"f:prometheus.io/scrape":{}},"f:labels":{".":{},"f:app":{},"f:app.kubernetes.io/name":{},"f:app.ku\#
        bernetes.io/part-of":{},"f:pod-template-hash":{},"f:tier":{}}},"f:spec":{"f:automountServiceAccountToken":{}\#
        ,"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:env":{".":{},"k:{\"name\":\"VAR_0\"}":{".":{},"f:name":{}\#
        ,"f:value":{}},"k:{\"name\":\"VAR_1\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"VAR_2\"}":{".":{},"\#
        f:name":{},"f:value":{}},"k:{\"name\":\"VAR_3\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"VAR_4\"}"\#
        :{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"VAR_5\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\\#
        "VAR_6\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"VAR_7\"}":{".":{},"f:name":{},"f:value":{}}},"f:\#
        image":{},"f:imagePullPolicy":{},"f:livenessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:pa\#
        th":{},"f:port":{},"f:scheme":{}},"f:periodSeconds":{},"f:successThreshold":{},"f:timeoutSeconds":{}},"f:nam\#
        e":{},"f:ports":{".":{},"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:na\#
        me":{},"f:protocol":{}},"k:{\"containerPort\":9090,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:na\#
        me":{},"f:protocol":{}}},"f:readinessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},\#
        "f:port":{},"f:scheme":{}},"f:periodSeconds":{},"f:successThreshold":{},"f:timeoutSeconds":{}},"f:resources"\#
        :{".":{},"f:limits":{".":{},"f:memory":{}},"f:requests":{".":{},"f:cpu":{},"f:memory":{}}},"f:terminationMes\#
        sagePath":{},"f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:enableServiceLinks":{},"f:nodeName":{},"f\#
        :restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}},{"man\#
        ager":"unknown","operation":"Update","apiVersion":"v1","time":"2026-11-26T21:00:35Z","fieldsType":"FieldsV1"\#
        ,"fieldsV1":{"f:status":{"f:conditions":{".":{},"k:{\"type\":\"ContainersReady\"}":{".":{},"f:lastProbeTime"\#
        :{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}},"k:{\"type\":\"Initialized\"}":{".":{},"f:lastProbe\#
        Time":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}},"k:{\"type\":\"PodScheduled\"}":{".":{},"f:las\#
        tProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}},"k:{\"type\":\"Ready\"}":{".":{},"f:last\#
        ProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}}},"f:containerStatuses":{},"f:hostIP":{},"\#
        f:phase":{},"f:podIP":{},"f:podIPs":{".":{},"k:{\"ip\":\"^IPV4^\"}":{".":{},"f:ip":{}}}}},"subresource":"sta\#
        tus"}]},"spec":{"containers":[{"name":"app","image":"registry.invalid/team/app:1.2.3","ports":[{"name":"http\#
        ","containerPort":8080,"protocol":"TCP"},{"name":"metrics","containerPort":9090,"protocol":"TCP"}],"env":[{"\#
        name":"VAR_0","value":"value-0"},{"name":"VAR_1","value":"value-1"},{"name":"VAR_2","value":"value-2"},{"nam\#
        e":"VAR_3","value":"value-3"},{"name":"VAR_4","value":"value-4"},{"name":"VAR_5","value":"value-5"},{"name":\#
        "VAR_6","value":"value-6"},{"name":"VAR_7","value":"value-7"}],"resources":{"limits":{"memory":"256Mi"},"req\#
        uests":{"cpu":"100m","memory":"128Mi"}},"livenessProbe":{"httpGet":{"path":"/healthz","port":"http","scheme"\#
        :"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3},"readinessProbe":{\#
        "httpGet":{"path":"/ready","port":"http","scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThre\#
        shold":1,"failureThreshold":3},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"F\#
        ile","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always","terminationGracePeriodSeconds":0,"dnsPolic\#
        y":"ClusterFirst","serviceAccountName":"default","serviceAccount":"default","automountServiceAccountToken":f\#
        alse,"nodeName":"^NODE^","securityContext":{},"schedulerName":"default-scheduler","tolerations":[{"key":"nod\#
        e.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},{"key":"node.ku\#
        bernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],"priority":0,"en\#
        ableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"},"status":{"phase":"Running","conditions":[\#
        {"type":"Initialized","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:00Z"},{"ty\#
        pe":"Ready","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:00Z"},{"type":"Conta\#
        inersReady","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:00Z"},{"type":"PodSc\#
        heduled","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:00Z"}],"hostIP":"192.16\#
        8.77.1","podIP":"^IPV4^","podIPs":[{"ip":"^IPV4^"}],"containerStatuses":[{"name":"app","state":{"running":{"\#
        startedAt":"2026-01-01T00:00:00Z"}},"lastState":{},"ready":true,"restartCount":0,"image":"registry.invalid/t\#
        eam/app:1.2.3","imageID":"registry.invalid/team/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0\#
        123456789abcdef","containerID":"containerd://000000000000000000000000000000000000000000000000000000000000000\#
        0","started":true}],"qosClass":"Burstable"}}
        """#

    private let parts: [[UInt8]]
    private let fields: [String]

    /// The recorded Pod.
    init() {
        // Every second part is the name of a field: the Pod has no other ^.
        let all = PodTemplate.text.split(separator: "^", omittingEmptySubsequences: false)
        parts = all.indices.filter { $0.isMultiple(of: 2) }.map { Array(all[$0].utf8) }
        fields = all.indices.filter { !$0.isMultiple(of: 2) }.map { String(all[$0]) }
    }

    /// What tells one Pod of a cluster from another.
    struct Values: Sendable {
        /// Its namespace.
        var namespace: String
        /// Its name.
        var name: String
        /// Its labels `app` and `app.kubernetes.io/name`.
        var app: String
        /// Its node's name.
        var node: String
        /// Its IPv4 address.
        var address: String
        /// The last part of its UID, 12 digits.
        var uid: Int

        /// A Pod of a cluster of 200 deployments in 10 namespaces, 100 Pods a node.
        static func number(_ number: Int) -> Values {
            let deployment = number % 200
            let app = "app-\(1_000 + deployment)"
            return Values(
                namespace: "perf-\(deployment % 10)", name: "\(app)-7d9f8b6c5d-\(10_000 + number)", app: app,
                node: "node-\(number / 100)",
                address: "10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)", uid: number)
        }
    }

    /// Appends the JSON of a Pod.
    func write(_ pod: Values, version: Int, to output: inout [UInt8]) {
        let values = [
            "NAME": pod.name, "NAMESPACE": pod.namespace, "APP": pod.app,
            "UID": "31ecd9fa-b6cd-4d0b-9ba4-\(100_000_000_000 + pod.uid)", "VERSION": "\(version)", "NODE": pod.node,
            "IPV4": pod.address,
        ]
        for (index, part) in parts.enumerated() {
            output += part
            if index < fields.count { output += (values[fields[index]] ?? "").utf8 }
        }
    }
}
