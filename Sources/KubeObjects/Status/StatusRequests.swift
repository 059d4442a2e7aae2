import Foundation
import KubeClient
import PolicyAPI

/// Asks an API server for single objects, and writes them.
struct StatusRequests: Sendable {
    let transport: any KubeTransport

    /// Sends a request; answers the object that comes back.
    func ask(
        _ target: String, _ method: String = "GET", _ type: String = "application/json", body: (any Encodable)? = nil
    ) async throws(RequestFailure) -> DocumentNode? {
        var request = KubeRequest(target)
        request.method = method
        if let body {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            guard let bytes = try? encoder.encode(body) else { throw .garbled("the request cannot be written") }
            request.contentType = type
            request.body = Array(bytes)
        }
        return try await transport.document(request, within: .seconds(10)) { bytes throws(EnvelopeFailure) in
            DocumentReader.read(bytes, file: "answer.json").documents.first
        }
    }

    /// As `ask` with GET; `nil` where there is no such object.
    func find(_ target: String) async throws(RequestFailure) -> DocumentNode? {
        do throws(RequestFailure) {
            return try await ask(target)
        } catch {
            if case .status(let refusal) = error, refusal.code == 404 { return nil }
            throw error
        }
    }

    /// A Lease; `nil` where there is none.
    func lease(_ name: String, in namespace: String) async throws(RequestFailure) -> DocumentNode? {
        try await find("\(Self.leases(in: namespace))/\(name)")
    }

    /// Makes a Lease, or replaces the version of it that the document names; false: somebody else was faster.
    func write(_ lease: LeaseDocument, isNew: Bool) async throws(RequestFailure) -> Bool {
        let leases = Self.leases(in: lease.metadata.namespace)
        do throws(RequestFailure) {
            _ =
                isNew
                ? try await ask(leases, "POST", body: lease)
                : try await ask("\(leases)/\(lease.metadata.name)", "PUT", body: lease)
            return true
        } catch {
            if case .status(let refusal) = error, refusal.code == 409 { return false }
            throw error
        }
    }

    private static func leases(in namespace: String) -> String {
        "/apis/coordination.k8s.io/v1/namespaces/\(namespace)/leases"
    }

    /// The time of a Lease's fields.
    static var now: String {
        Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)).replacing("Z", with: "000Z")
    }
}

extension DocumentNode {
    /// The object of a list that has this name: who answers may not heed field selectors.
    func item(named name: String) -> DocumentNode? {
        self["items"]?.elements?.first { $0["metadata"]?["name"]?.string == name }
    }
}

/// A coordination.k8s.io/v1 Lease as it is written.
struct LeaseDocument: Encodable {
    struct Metadata: Encodable {
        let name: String
        let namespace: String
        let resourceVersion: String?
        var annotations: [String: String]?
        var ownerReferences: [Owner]?
    }
    struct Owner: Encodable {
        let apiVersion = "v1"
        let kind = "Node"
        let name: String
        let uid: String
    }
    struct Spec: Encodable {
        let holderIdentity: String
        let leaseDurationSeconds: Int
        let acquireTime: String
        let renewTime: String
        let leaseTransitions: Int64
    }
    let apiVersion = "coordination.k8s.io/v1"
    let kind = "Lease"
    let metadata: Metadata
    let spec: Spec
}
