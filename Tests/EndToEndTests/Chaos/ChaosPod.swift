import NetTypes

/// A pod of the chaos test.
struct ChaosPod: Hashable, Sendable {
    /// Its namespace.
    var namespace = "chaos"
    /// Its name, which no pod of another namespace has.
    let name: String
    /// One of three apps.
    let app: String
    /// Its address.
    let address: IPAddress

    var uid: String { "00000000-0000-4000-8000-\(String(repeating: "0", count: 12 - name.utf8.count))\(hex)" }
    private var hex: String { String(name.utf8.map { $0 % 10 }.map { Character("\($0)") }) }

    /// Its Pod object.
    var manifest: String { manifest(app: app) }

    /// Its Pod object, with the label of another app.
    func manifest(app: String) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name), namespace: \(namespace), uid: \(uid), labels: {app: \(app)}}
        spec: {nodeName: node-1, containers: [{name: main}]}
        status: {phase: Running, podIP: \(address), podIPs: [{ip: \(address)}]}

        """
    }
}
