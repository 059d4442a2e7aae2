import Foundation
import Testing

@testable import Datapath

@Suite("rules about forwarded packets")
struct ForwardingRulesTests {
    /// What the rules of nft would miss, of its JSON for one table.
    private func problem(nft entries: String) throws -> String? {
        var rules = ForwardingRules()
        try rules.add(table: Data(#"{"nftables": [{"metainfo": {}}, \#(entries)]}"#.utf8))
        return rules.problem
    }

    private func chain(_ name: String, hook: String? = nil, type: String = "filter", policy: String = "accept")
        -> String
    {
        let place = hook.map { #", "type": "\#(type)", "hook": "\#($0)", "prio": 0, "policy": "\#(policy)""# } ?? ""
        return #"{"chain": {"family": "ip", "table": "t", "name": "\#(name)", "handle": 1\#(place)}}"#
    }

    private func rule(_ chain: String, _ statements: String) -> String {
        #"{"rule": {"family": "ip", "table": "t", "chain": "\#(chain)", "handle": 2, "expr": [\#(statements)]}}"#
    }

    private let comment = #"{"xt": {"type": "match", "name": "comment"}}, {"counter": {"packets": 0, "bytes": 0}}"#

    private func states(_ states: String) -> String {
        #"{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": \#(states)}}"#
    }

    @Test("kube-proxy's chains in iptables-nft are known")
    func kubeProxy() throws {
        let jump = rule("FORWARD", comment + #", {"jump": {"target": "KUBE-FORWARD"}}"#)
        let drops = rule("KUBE-FORWARD", #"{"xt": {"type": "match", "name": "conntrack"}}, {"drop": null}"#)
        for policy in ["accept", "drop"] {
            let entry = chain("FORWARD", hook: "forward", policy: policy)
            #expect(try problem(nft: [entry, chain("KUBE-FORWARD"), jump, drops].joined(separator: ", ")) == nil)
        }
    }

    @Test("what lets pass, counts, translates or drops what is invalid says nothing about a flow's further packets")
    func harmless() throws {
        for statements in [
            states(#""invalid""#) + #", {"drop": null}"#,
            states(#"["established", "related"]"#) + #", {"accept": null}"#,
            #"{"counter": null}"#,
            #"{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 1}}, {"accept": null}"#,
            #"{"return": null}"#,
        ] {
            #expect(
                try problem(nft: chain("f", hook: "forward") + ", " + rule("f", statements)) == nil, "\(statements)")
        }
        let nat = chain("f", hook: "postrouting", type: "nat") + ", " + rule("f", #"{"masquerade": null}"#)
        #expect(try problem(nft: nat) == nil)
        #expect(try problem(nft: chain("f", hook: "input") + ", " + rule("f", #"{"drop": null}"#)) == nil)
    }

    @Test("everything else does")
    func harmful() throws {
        for (statements, words) in [
            (#"{"drop": null}"#, "drop"), (#"{"reject": null}"#, "reject"), (#"{"mangle": {}}"#, "mangle"),
            (#"{"limit": {}}, {"accept": null}"#, "limit"), (#"{"log": null}"#, "log"), (#"{"queue": {}}"#, "queue"),
            (#"{"xt": {"type": "target", "name": "MARK"}}"#, "MARK"), (#"{"flow": {}}"#, "flow"),
            (states(#""new""#) + #", {"drop": null}"#, "drop"),
            (#"{"jump": {"target": "KUBE-ROUTER-FORWARD"}}"#, "KUBE-ROUTER-FORWARD"),
            (#"{"notrack": null}"#, "notrack"), (#"{"vmap": {}}"#, "vmap"),
        ] {
            for hook in ["prerouting", "forward", "postrouting"] {
                let found = try problem(nft: chain("f", hook: hook) + ", " + rule("f", statements))
                #expect(found?.contains(words) == true, "\(statements): \(found ?? "nothing")")
            }
        }
        let rest = try problem(nft: chain("f", hook: "forward", policy: "drop"))
        #expect(rest == "chain ip t f drops what no rule lets pass")
        // A chain of somebody's own is looked into.
        let own = [
            chain("f", hook: "forward"), chain("g"), rule("f", #"{"goto": {"target": "g"}}"#),
            rule("g", #"{"drop": null}"#),
        ]
        #expect(try problem(nft: own.joined(separator: ", "))?.contains("chain ip t g: drop") == true)
    }

    @Test("what cannot be read is not taken for nothing", arguments: ["", "[]", "{}", #"{"nftables": 1}"#])
    func unreadable(json: String) {
        #expect(throws: ForwardingRules.Unreadable.self) { try ForwardingRules.tablesToRead(chains: Data(json.utf8)) }
    }

    @Test("only tables are read that forwarded packets pass behind a flow's first, and that are not known whole")
    func tables() throws {
        let entries = [
            (family: "ip", table: "nat", hook: "prerouting", type: "nat"), ("ip", "filter", "forward", "filter"),
            ("ip", "kube-proxy", "forward", "filter"), ("inet", "kindnet-network-policies", "forward", "filter"),
            ("bridge", "filter", "forward", "filter"), ("netdev", "x", "ingress", "filter"),
            ("ip6", "in", "input", "filter"),
        ].map {
            #"{"chain": {"family": "\#($0.family)", "table": "\#($0.table)", "name": "c", "type": "\#($0.type)", "hook": "\#($0.hook)"}}"#
        }
        let found = try ForwardingRules.tablesToRead(
            chains: Data(#"{"nftables": [\#(entries.joined(separator: ", "))]}"#.utf8))
        #expect(found.map { "\($0.family) \($0.table)" } == ["ip filter", "netdev x"])
    }

    @Test("iptables' own tables are read as it saves them")
    func iptables() {
        func problem(_ rules: String, policy: String = "ACCEPT") -> String? {
            var found = ForwardingRules()
            found.add(
                iptables: "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD \(policy) [1:2]\n:OWN - [0:0]\n\(rules)\nCOMMIT\n",
                family: "ip", table: "filter")
            return found.problem
        }
        #expect(problem("-A INPUT -j DROP") == nil)
        #expect(problem("-A FORWARD -m comment --comment \"-j x\" -j KUBE-FORWARD", policy: "DROP") == nil)
        #expect(problem("-A FORWARD -m conntrack --ctstate INVALID -j DROP") == nil)
        #expect(problem("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", policy: "DROP") == nil)
        #expect(problem("-A FORWARD -j OWN\n-A OWN -s 10.0.0.0/8 -j RETURN") == nil)
        #expect(problem("", policy: "DROP") == "chain ip filter FORWARD drops what no rule lets pass")
        #expect(
            problem("-A FORWARD -j OWN\n-A OWN -s 10.0.0.0/8 -j DROP") == "a rule of chain ip filter OWN: target DROP")
        #expect(problem("-A FORWARD -m conntrack ! --ctstate INVALID -j DROP")?.contains("DROP") == true)
        #expect(problem("-A FORWARD -j MARK --set-mark 1")?.contains("MARK") == true)
        #expect(problem("-A FORWARD -j KUBE-ROUTER-FORWARD")?.contains("KUBE-ROUTER-FORWARD") == true)
    }
}
