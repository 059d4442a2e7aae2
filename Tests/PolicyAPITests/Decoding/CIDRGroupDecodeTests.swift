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

    @Test("an unsupported version is an error with the one to use; of such a group nothing but the name is known")
    func wrongVersion() {
        let decoded = group("{externalCIDRs: [10.0.0.0/8]}", version: "v3")
        #expect(decoded.errors == ["kind: CiliumCIDRGroup of apiVersion \"cilium.io/v3\" is not read"])
        #expect(decoded.objects.cidrGroups.map(\.isUnknown) == [true])
        #expect(decoded.objects.cidrGroups.map(\.prefixes) == [[]])
    }

    @Test("of two groups of a name, and of one that is no YAML, nothing but the name is known")
    func doubledOrBroken() {
        let one =
            "{apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: g, labels: {a: b}}, spec: {externalCIDRs: [10.0.0.0/8]}}\n"
        let other = one.replacing("10.0.0.0", with: "192.0.2.0")
        for manifests in [
            one + "---\n" + other, "{}\n---\n" + one.replacing("/8]}}", with: "/8]"),
            one + "---\n" + other.replacing("/8]}}", with: "/8]"),
        ] {
            let decoded = decode(manifests)
            #expect(!decoded.errors.isEmpty, "\(manifests)")
            let groups = decoded.objects.cidrGroups.filter(\.isUnknown)
            #expect(
                groups.map(\.metadata.name) == ["g"] && groups.allSatisfy(\.metadata.labels.isEmpty), "\(manifests)")
        }
    }
}
