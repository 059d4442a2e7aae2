import PolicyAPI
import PolicyIR

/// Rules in one line, for `netpold compile --emit ir`.
enum RuleText {
    /// `everyone`, `nobody`, or the alternatives.
    static func text(_ peers: PeerMatch) -> String {
        switch peers {
        case .everyone: "everyone"
        case .anyOf(let list): list.isEmpty ? "nobody" : list.map(text).joined(separator: " | ")
        }
    }

    /// One alternative.
    static func text(_ peer: Peer) -> String {
        switch peer {
        case .pods(.named(let namespace), let selector): "pods in \(namespace) \(text(selector))"
        case .pods(.matching(let scope), let selector): "pods in namespaces \(text(scope)) \(text(selector))"
        case .endpoints(let selector): "endpoints \(text(selector))"
        case .nodes(let selector): "nodes \(text(selector))"
        case .entity(let entity): "entity \(entity.rawValue)"
        case .addresses(let prefix, let except, let space):
            "\(prefix)\(except.isEmpty ? "" : " except " + except.map(\.description).joined(separator: ","))"
                + (space == .everywhere ? "" : " outside the cluster")
        case .names(.name(let name)): "name \(name)"
        case .names(.pattern(let pattern)): "names \(pattern)"
        }
    }

    /// `{app=web, tier in (a,b), !legacy}`; `{}` matches everything.
    static func text(_ selector: LabelSelector) -> String {
        let parts = selector.requirements.map { requirement in
            let key = requirement.source == "any" ? requirement.key : "\(requirement.source):\(requirement.key)"
            let values = requirement.values.joined(separator: ",")
            return switch requirement.operator {
            case .isIn: requirement.values.count == 1 ? "\(key)=\(values)" : "\(key) in (\(values))"
            case .notIn: "\(key) not in (\(values))"
            case .exists: key
            case .doesNotExist: "!\(key)"
            }
        }
        return "{\(parts.joined(separator: ", "))}"
    }

    /// `every packet`, `no packet`, `TCP/80, UDP/53-54, TCP/http`.
    static func text(_ traffic: TrafficMatch) -> String {
        guard case .anyOf(let clauses) = traffic else { return "every packet" }
        if clauses.isEmpty { return "no packet" }
        return clauses.map { clause in
            switch clause {
            case .ports(let proto, let range): "\(proto)/\(range)"
            case .named(let proto, let name): "\(proto)/\(name)"
            }
        }.joined(separator: ", ")
    }

    /// ` with HTTP rules`, or nothing.
    static func text(_ l7: L7Match?) -> String {
        switch l7 {
        case nil: ""
        case .http(let rules): " if one of \(rules.count) HTTP rules matches"
        case .dns(let names): " if one of \(names.count) DNS names matches"
        case .serverNames(let names): " if the TLS server name is one of \(names.map(\.value).joined(separator: ","))"
        }
    }
}
