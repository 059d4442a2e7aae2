public import Agent
public import KubeClient
import PolicyAPI
import PolicyIR
import Synchronization

/// Decodes objects in one pass that makes nothing of what policies cannot see (`WireDecoder`), with equal strings shared
/// between all objects of a kind. What that pass finds odd is read again exactly.
public final class WireObjectDecoder: ObjectDecoder {
    private struct Form: Hashable {
        var kind: ObjectKind
        var apiVersion: String
    }

    private let decoders = Mutex<[Form: WireDecoder]>([:])

    /// A decoder that has seen nothing.
    public init() {}

    /// Decodes one object.
    public func decode(
        _ kind: ObjectKind, _ bytes: ArraySlice<UInt8>, head: ObjectHead, apiVersion: String
    ) -> DecodedObject {
        let read = decoders.withLock { decoders in
            decoders[
                Form(kind: kind, apiVersion: apiVersion),
                default: WireDecoder(kind: kind.rawValue, apiVersion: apiVersion)
            ].decode(bytes)
        }
        let key = kind.key(head)
        let place = SourceLocation.whole(key.text)
        let errors = read.diagnostics.errors
        if let object = read.object, object.key == key, errors.isEmpty {
            return .good(
                object, warnings: read.diagnostics.filter { $0.severity == .warning }.map { $0.moved(to: place) })
        }
        let other = Diagnostic(
            id: .notAnObject, location: place, message: "the API server sent something else in its place",
            hint: "look at the API server's log")
        return .refused(
            RefusedObject(
                key: key, origin: .server(head.version),
                diagnostics: errors.isEmpty ? [other] : errors.map { $0.moved(to: place) },
                isolating: PolicyLowering.lowerRefused(read.refusals), unknown: unknown(key, read.object)))
    }

    /// What could be read of a refused object that policies refer to.
    private func unknown(_ key: ObjectKey, _ read: ClusterObject?) -> ClusterObject? {
        guard let read, read.isUnknown, read.key == key else { return nil }
        return read
    }
}
