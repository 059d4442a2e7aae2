import Datapath
import Foundation
import KubeClient
import KubeTestServer
import NetTypes
import PolicyAPI

/// The API server of a test, with the objects of manifests: the one of KUBECONFIG where that is set, else one in this process.
///
/// A kubeconfig names the server by an IPv4 address, and holds certificates and tokens inside, as `kind` and `kubeadm` write them. The
/// objects are taken away at the end.
final class ClusterServer {
    let test: TestAPIServer?
    private let connection: KubeConnection
    private let kubeconfig: String
    private let address: UInt32
    private let folder: String
    private var relays: [PortRelay] = []
    private var written: [String] = []

    init() async throws {
        folder = NSTemporaryDirectory() + "cluster-\(getpid())-\(UInt16.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let given = ProcessInfo.processInfo.environment["KUBECONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        test = given == nil ? try await TestAPIServer.start() : nil
        let path = given ?? "\(folder)/config"
        if let test { try test.kubeconfig().write(toFile: path, atomically: true, encoding: .utf8) }
        kubeconfig = try String(contentsOfFile: path, encoding: .utf8)
        connection = KubeConnection(try Kubeconfig(path).access(context: nil))
        guard let address = IPAddress(parsing: connection.access.server.host)?.ipv4 else {
            throw PodNetworkError("KUBECONFIG: the server \(connection.access.server.host) is no IPv4 address")
        }
        self.address = address
    }

    /// Deletes what was written, and ends the server if it is one of this process.
    func stop() async {
        for path in written.reversed() {
            var request = KubeRequest(path + "?gracePeriodSeconds=0")
            request.method = "DELETE"
            _ = try? await send(request)
        }
        for relay in relays { relay.stop() }
        await connection.close()
        await test?.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The path of a kubeconfig for an agent in a node's namespace, from which a relay leads to the server.
    func kubeconfig(in node: NetworkNamespace) throws -> String {
        let server = connection.access.server
        let relay = try PortRelay(in: node, to: UInt16(server.port), at: address)
        relays.append(relay)
        let named = "https://\(server.host):\(server.port)"
        let line = kubeconfig.split(separator: "\n").first { $0.contains(named) } ?? ""
        let space = String(line.prefix { $0 == " " })
        let name = connection.access.serverName == nil ? "\n\(space)tls-server-name: \(server.host)" : ""
        let path = "\(folder)/config-\(relays.count)"
        try kubeconfig.replacing(named, with: "https://127.0.0.1:\(relay.port)\(name)")
            .write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// Makes the objects of a manifest, or makes them so.
    func apply(_ manifest: String) async throws {
        for text in manifest.split(separator: "\n---\n") {
            let object = DocumentReader.read(Array(text.utf8), file: "manifest.yaml").documents.first
            guard let object, let kind = object["kind"]?.string, let name = object["metadata"]?["name"]?.string else {
                throw PodNetworkError("no object: \(text)")
            }
            let resources = APIResource.builtIns + APIResource.policyCRDs
            guard
                let resource = resources.first(where: {
                    $0.kind == kind && $0.apiVersion == object["apiVersion"]?.string
                })
            else { throw PodNetworkError("no resource of kind \(kind)") }
            let namespace = object["metadata"]?["namespace"]?.string
            try await write(resource, namespace, name, Array(text.utf8), hasStatus: object["status"] != nil)
            // Who runs a pod; without a controller manager nobody makes it.
            if kind == "Namespace", test == nil {
                let account = "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: \(name)}}"
                var request = KubeRequest("/api/v1/namespaces/\(name)/serviceaccounts")
                request.method = "POST"
                request.contentType = "application/yaml"
                request.body = Array(account.utf8)
                _ = try await send(request)
            }
        }
    }

    private func write(
        _ resource: APIResource, _ namespace: String?, _ name: String, _ text: [UInt8], hasStatus: Bool
    ) async throws {
        var folder = resource.path
        if resource.isNamespaced, let namespace {
            let root = resource.path.dropLast(resource.name.count)
            folder = "\(root)namespaces/\(namespace)/\(resource.name)"
        }
        var request = KubeRequest(folder + "?fieldManager=netpold-test")
        request.method = "POST"
        request.contentType = "application/yaml"
        request.body = text
        var answer = try await send(request)
        let isThere = answer.status == 409
        if !isThere { written.append("\(folder)/\(name)") }
        request.method = "PATCH"
        request.contentType = "application/apply-patch+yaml"
        for path in (isThere ? [""] : []) + (hasStatus ? ["/status"] : [])
        where isThere || answer.status < 300 {
            request.target = "\(folder)/\(name)\(path)?fieldManager=netpold-test&force=true"
            answer = try await send(request)
        }
        guard answer.status < 300 else {
            throw PodNetworkError("\(resource.kind) \(name): \(answer.status) \(answer.text)")
        }
    }

    private func send(_ request: KubeRequest) async throws -> (status: Int, text: String) {
        try await connection.send(request) { response throws(RequestFailure) in
            var bytes: [UInt8] = []
            var reader = response.body.reader()
            while let part = try await reader.next() { bytes += part.readableBytesView }
            return (response.status, String(decoding: bytes, as: UTF8.self))
        }
    }
}
