import NetpoldTestSupport
import Testing

@testable import PolicyAPI

/// CiliumCIDRGroup objects (docs/spec/cilium-network-policy.md 2.1, 13.4).
@Suite struct CIDRGroupDecodeTests {
    private func group(_ spec: String, version: String = "v2") -> DecodedManifests {
        decode(
            "apiVersion: cilium.io/\(version)\nkind: CiliumCIDRGroup\n"
                + "metadata: {name: office, labels: {team: red}}\nspec: \(spec)\n")
    }

    @Test(
        "both apiVersions are read, with labels, prefixes of both families and empty lists",
        arguments: ["v2", "v2alpha1"])
    func good(version: String) throws {
        let decoded = group("{externalCIDRs: [192.0.2.0/24, '2001:db8::/32']}", version: version)
        #expect(decoded.diagnostics.isEmpty)
        let group = try #require(decoded.objects.cidrGroups.first)
        #expect(group.metadata.labels == ["team": "red"])
        #expect(group.prefixes == [try prefix("192.0.2.0/24"), try prefix("2001:db8::/32")])
        #expect(self.group("{externalCIDRs: []}", version: version).objects.cidrGroups.first?.prefixes == [])
    }

    @Test(
        "a group that can be read only in part is refused: what it leaves out could have been denied",
        arguments: [
            "{}", "{externalCIDRs: [10.0.0.1]}", "{externalCIDRs: [10.0.0.0/8, nonsense]}", "{externalCIDR: []}",
            "{externalCIDRs: 10.0.0.0/8}", "null",
        ])
    func bad(spec: String) {
        let decoded = group(spec)
        #expect(!decoded.errors.isEmpty)
        // Only that there is such a group is known: a deny that refers to it is refused.
        #expect(decoded.objects.cidrGroups.map(\.isUnknown) == [true])
        #expect(decoded.objects.cidrGroups.map(\.prefixes) == [[]])
    }

    @Test("an unsupported version is reported with the one to use")
    func wrongVersion() {
        let decoded = group("{externalCIDRs: []}", version: "v3")
        #expect(decoded.warnings == ["kind: CiliumCIDRGroup of apiVersion \"cilium.io/v3\" is not read"])
    }
}
