import Agent
import KubeClient
import PolicyAPI
import PolicyIR

@testable import KubeObjects

/// Decodes objects as manifests are decoded: with a document in between: what the decoder that the agent uses is compared
/// with.
struct DocumentObjectDecoder: ObjectDecoder {
    /// Decodes one object.
    func decode(
        _ kind: ObjectKind, _ bytes: ArraySlice<UInt8>, head: ObjectHead, apiVersion: String
    ) -> DecodedObject {
        let key = kind.key(head)
        let origin = ObjectOrigin.resourceVersion(head.resourceVersion)
        func refused(_ diagnostics: [Diagnostic], _ refusals: [PolicyRefusal]) -> DecodedObject {
            let place = SourceLocation.whole(key.text)
            let errors = diagnostics.filter { $0.severity == .error }.map { $0.moved(to: place) }
            return .refused(
                RefusedObject(
                    key: key, origin: origin, diagnostics: errors, isolating: PolicyLowering.lowerRefused(refusals)))
        }
        let whole = DocumentObjectDecoder.completed(bytes, kind, head, apiVersion)
        // The name's end says that nothing but JSON is meant.
        let read = DocumentReader.read(whole, file: "\(key.text).json")
        guard let document = read.documents.first, read.documents.count == 1 else {
            let nothing = Diagnostic(
                id: .syntax, location: nil, message: "the API server sent no object",
                hint: "look at the API server's log")
            return refused(read.diagnostics.isEmpty ? [nothing] : read.diagnostics, [])
        }
        var decoder = ManifestDecoder()
        decoder.add(document)
        let decoded = decoder.finish()
        let found = read.diagnostics + decoded.diagnostics
        let objects = decoded.objects.each
        if let object = objects.first, objects.count == 1, object.key == key, !found.contains(where: \.isError) {
            let place = SourceLocation.whole(key.text)
            return .good(object, warnings: found.filter { $0.severity == .warning }.map { $0.moved(to: place) })
        }
        let other = Diagnostic(
            id: .notAnObject, location: nil, message: "the API server sent another object in its place",
            hint: "look at the API server's log")
        return refused(found.contains(where: \.isError) ? found : [other], decoded.refused)
    }

    /// The object with the kind and apiVersion that lists leave out.
    private static func completed(
        _ bytes: ArraySlice<UInt8>, _ kind: ObjectKind, _ head: ObjectHead, _ apiVersion: String
    ) -> [UInt8] {
        guard !head.hasKind || !head.hasAPIVersion, let brace = bytes.firstIndex(of: UInt8(ascii: "{")) else {
            return Array(bytes)
        }
        var whole = [UInt8(ascii: "{")]
        whole.reserveCapacity(bytes.count + 64)
        if !head.hasKind { whole += Array("\"kind\":\"\(kind.rawValue)\",".utf8) }
        if !head.hasAPIVersion { whole += Array("\"apiVersion\":\"\(apiVersion)\",".utf8) }
        whole += bytes[(brace + 1)...]
        return whole
    }
}

extension Diagnostic {
    fileprivate var isError: Bool { severity == .error }
}
