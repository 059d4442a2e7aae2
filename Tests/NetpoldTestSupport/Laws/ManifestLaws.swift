import PolicyAPI
import PolicyAnalysis
import PolicyIR

/// What must hold of any bytes that are read as manifests. The fuzz targets ask it of millions of inputs, the tests of the
/// fixtures and of mutated examples.
public enum ManifestLaws {
    /// The name that inputs have in messages.
    static let file = "f.yaml"

    /// Reads, decodes and lowers the bytes, and checks what comes out.
    public static func check(_ bytes: [UInt8]) throws(BrokenLaw) {
        let read = DocumentReader.read(bytes, file: file)
        let decoded = decode(bytes)
        let lowered = PolicyLowering.lower(decoded.objects)
        let isolating = PolicyLowering.lowerRefused(decoded.refused)
        let tests = PolicyTestDecoder.decode(read.documents)

        try repeatable(bytes, decoded, lowered, isolating)
        let diagnostics = decoded.diagnostics + lowered.diagnostics + tests.diagnostics
        try bounded(diagnostics, bytes, read)
        try placed(diagnostics, bytes)
        try printable(diagnostics)
        try closed(isolating)
        try DocumentLaws.check(read)
        try RefusalLaws.check(decoded, read.documents, seed: UInt64(bytes.count) &+ UInt64(bytes.last ?? 0) << 8)
    }

    /// The objects in some bytes.
    static func decode(_ bytes: [UInt8], file: String = file) -> DecodedManifests {
        var decoder = ManifestDecoder()
        decoder.add(bytes, file: file)
        return decoder.finish()
    }

    /// Equal bytes mean equal policies and diagnostics: nothing hangs on the order of a hash table.
    private static func repeatable(
        _ bytes: [UInt8], _ decoded: DecodedManifests, _ lowered: LoweredPolicies, _ isolating: [LoweredPolicy]
    ) throws(BrokenLaw) {
        let again = decode(bytes)
        try BrokenLaw.unless(again.diagnostics == decoded.diagnostics, "decoding again finds something else")
        try BrokenLaw.unless(again.refused == decoded.refused, "decoding again refuses something else")
        try BrokenLaw.unless(again.objects.pods == decoded.objects.pods, "decoding again gives other pods")
        try BrokenLaw.unless(PolicyLowering.lower(again.objects) == lowered, "decoding again gives other policies")
        try BrokenLaw.unless(PolicyLowering.lowerRefused(again.refused) == isolating, "decoding again isolates others")
    }

    /// Diagnostics grow with the input, neither faster in number nor each without bound.
    private static func bounded(
        _ diagnostics: [Diagnostic], _ bytes: [UInt8], _ read: DocumentReader.Output
    ) throws(BrokenLaw) {
        let values = read.documents.reduce(0) { $0 + DocumentLaws.values(in: $1) }
        try BrokenLaw.unless(
            diagnostics.count <= 16 + bytes.count + 4 * values,
            "\(diagnostics.count) diagnostics about \(bytes.count) bytes and \(values) values")
        let longest = diagnostics.map { $0.path.utf8.count + $0.message.utf8.count + $0.hint.utf8.count }.max() ?? 0
        try BrokenLaw.unless(longest <= 8_000, "a diagnostic of \(longest) bytes")
    }

    /// Each diagnostic is at a line of the input.
    private static func placed(_ diagnostics: [Diagnostic], _ bytes: [UInt8]) throws(BrokenLaw) {
        // YAML ends lines at CR, NEL, LS and PS too.
        let lines = 1 + String(decoding: bytes, as: UTF8.self).count { $0.isNewline }
        for diagnostic in diagnostics {
            guard let location = diagnostic.location else {
                throw BrokenLaw("a diagnostic without place: \(diagnostic)")
            }
            try BrokenLaw.unless(
                (1...lines + 1).contains(location.line) && (1...bytes.count + 1).contains(location.column),
                "a diagnostic outside of \(lines) lines: \(diagnostic)")
        }
    }

    /// A diagnostic is one line without control characters, whatever it quotes.
    private static func printable(_ diagnostics: [Diagnostic]) throws(BrokenLaw) {
        let text = DiagnosticRenderer().render(diagnostics)
        try BrokenLaw.unless(
            text.utf8.count { $0 == UInt8(ascii: "\n") } <= diagnostics.count, "more lines than diagnostics")
        let bad = text.unicodeScalars.first { $0 != "\n" && $0.properties.generalCategory == .control }
        try BrokenLaw.unless(bad == nil, "a control character reaches the terminal")
    }

    /// The isolation in place of a refused policy allows nothing.
    private static func closed(_ isolating: [LoweredPolicy]) throws(BrokenLaw) {
        for policy in isolating {
            for rules in [policy.ingress, policy.egress].compactMap(\.self) {
                try BrokenLaw.unless(
                    rules.isolates || !rules.rules.isEmpty, "nothing stands in for a refused policy: \(policy)")
                try BrokenLaw.unless(
                    rules.rules.allSatisfy { $0.action == .deny }, "a refused policy allows: \(policy)")
            }
        }
    }
}
