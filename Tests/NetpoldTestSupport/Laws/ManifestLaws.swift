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
        let standIns = PolicyLowering.lowerRefused(decoded.refused)
        let tests = PolicyTestDecoder.decode(read.documents)

        try repeatable(bytes, decoded, lowered, standIns)
        let findings = decoded.diagnostics + lowered.diagnostics + tests.diagnostics
        try bounded(findings, bytes, read)
        try placed(findings, bytes)
        try printable(findings)
        try closed(standIns)
        try DocumentLaws.check(read)
        try RefusalLaws.check(decoded, read.documents, seed: UInt64(bytes.count) &+ UInt64(bytes.last ?? 0) << 8)
    }

    /// The objects in some bytes.
    static func decode(_ bytes: [UInt8], file: String = file) -> DecodedManifests {
        var decoder = ManifestDecoder()
        decoder.add(bytes, file: file)
        return decoder.finish()
    }

    /// Equal bytes mean equal policies and findings: nothing hangs on the order of a hash table.
    private static func repeatable(
        _ bytes: [UInt8], _ decoded: DecodedManifests, _ lowered: LoweredPolicies, _ standIns: [LoweredPolicy]
    ) throws(BrokenLaw) {
        let again = decode(bytes)
        try BrokenLaw.unless(again.diagnostics == decoded.diagnostics, "decoding again finds something else")
        try BrokenLaw.unless(again.refused == decoded.refused, "decoding again refuses something else")
        try BrokenLaw.unless(again.objects.pods == decoded.objects.pods, "decoding again gives other pods")
        try BrokenLaw.unless(PolicyLowering.lower(again.objects) == lowered, "decoding again gives other policies")
        try BrokenLaw.unless(PolicyLowering.lowerRefused(again.refused) == standIns, "other stand-ins")
    }

    /// Findings grow with the input, neither faster in number nor each without bound.
    private static func bounded(
        _ findings: [Diagnostic], _ bytes: [UInt8], _ read: DocumentReader.Output
    ) throws(BrokenLaw) {
        let values = read.documents.reduce(0) { $0 + DocumentLaws.values(in: $1) }
        try BrokenLaw.unless(
            findings.count <= 16 + bytes.count + 4 * values,
            "\(findings.count) findings about \(bytes.count) bytes and \(values) values")
        let longest = findings.map { $0.path.utf8.count + $0.message.utf8.count + $0.hint.utf8.count }.max() ?? 0
        try BrokenLaw.unless(longest <= 8_000, "a finding of \(longest) bytes")
    }

    /// Each finding is at a line of the input.
    private static func placed(_ findings: [Diagnostic], _ bytes: [UInt8]) throws(BrokenLaw) {
        // YAML ends lines at CR, NEL, LS and PS too.
        let lines = 1 + String(decoding: bytes, as: UTF8.self).count { $0.isNewline }
        for finding in findings {
            guard let location = finding.location else { throw BrokenLaw("a finding without place: \(finding)") }
            try BrokenLaw.unless(
                (1...lines + 1).contains(location.line) && (1...bytes.count + 1).contains(location.column),
                "a finding outside of \(lines) lines: \(finding)")
        }
    }

    /// A finding is one line without control characters, whatever it quotes.
    private static func printable(_ findings: [Diagnostic]) throws(BrokenLaw) {
        let text = DiagnosticRenderer().render(findings)
        try BrokenLaw.unless(text.utf8.count { $0 == UInt8(ascii: "\n") } <= findings.count, "more lines than findings")
        let bad = text.unicodeScalars.first { $0 != "\n" && $0.properties.generalCategory == .control }
        try BrokenLaw.unless(bad == nil, "a control character reaches the terminal")
    }

    /// What stands in for a refused policy allows nothing.
    private static func closed(_ standIns: [LoweredPolicy]) throws(BrokenLaw) {
        for policy in standIns {
            for rules in [policy.ingress, policy.egress].compactMap(\.self) {
                try BrokenLaw.unless(
                    rules.isolates || !rules.rules.isEmpty, "nothing stands in for a refused policy: \(policy)")
                try BrokenLaw.unless(
                    rules.rules.allSatisfy { $0.action == .deny }, "a refused policy allows: \(policy)")
            }
        }
    }
}
