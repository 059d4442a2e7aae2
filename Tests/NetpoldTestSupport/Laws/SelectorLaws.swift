import PolicyAPI

/// What must hold of label selectors, as a NetworkPolicy and as a Cilium policy write them.
enum SelectorLaws {
    /// Checks selectors about one key: `value` and `other` are values asked for or carried.
    static func check(key: String, value: String, other: String) throws(BrokenLaw) {
        let (key, value, other) = (JSONWriting.quoted(key), JSONWriting.quoted(value), JSONWriting.quoted(other))
        let equal = selector("{\"matchLabels\": {\(key): \(value)}}")
        let isIn = selector(expression(key, "In", [value]))
        try BrokenLaw.unless(equal?.conditions == isIn?.conditions, "matchLabels \(key): \(value) is not In")
        guard let carried = labels("{\(key): \(other)}") else { return }
        guard let isIn, let notIn = selector(expression(key, "NotIn", [value])),
            let exists = selector(expression(key, "Exists", nil)),
            let absent = selector(expression(key, "DoesNotExist", nil))
        else { return }
        for labels in [carried, [:]] {
            let place = "\(key): \(value) against \(labels)"
            try BrokenLaw.unless(isIn.matches(labels) != notIn.matches(labels), "In and NotIn agree about \(place)")
            try BrokenLaw.unless(exists.matches(labels) != absent.matches(labels), "Exists and its opposite: \(place)")
            try BrokenLaw.unless(!isIn.matches(labels) || exists.matches(labels), "In without Exists: \(place)")
        }
        try BrokenLaw.unless(exists.matches(carried) && isIn.matches(carried) == (value == other), "\(key): \(value)")
    }

    private static func expression(_ key: String, _ name: String, _ values: [String]?) -> String {
        let list = values.map { ", \"values\": [\($0.joined(separator: ", "))]" } ?? ""
        return "{\"matchExpressions\": [{\"key\": \(key), \"operator\": \"\(name)\"\(list)}]}"
    }

    /// A selector as a NetworkPolicy reads it; `nil` if it is refused.
    private static func selector(_ text: String) -> LabelSelector? {
        Written.objects(
            "networking.k8s.io/v1", "NetworkPolicy", "\"spec\": {\"podSelector\": \(text)}"
        ).networkPolicies.first?.podSelector
    }

    /// Labels as a Pod reads them; `nil` if they are refused.
    private static func labels(_ text: String) -> [String: String]? {
        Written.objects("v1", "Pod", "\"spec\": {}", labels: text).pods.first?.metadata.labels
    }
}

/// Objects written as JSON around parts that are random.
enum Written {
    /// The objects that one of this kind gives: none when it is refused.
    static func objects(
        _ apiVersion: String, _ kind: String, _ body: String, labels: String = "{}"
    ) -> ClusterObjects {
        let text =
            "{\"apiVersion\": \"\(apiVersion)\", \"kind\": \"\(kind)\", \"metadata\": {\"name\": \"p\", \"namespace\": \"n\", "
            + "\"labels\": \(labels)}, \(body)}"
        return ManifestLaws.decode(Array(text.utf8), file: "f.json").objects
    }
}

extension LabelSelector {
    /// The conditions without their places.
    var conditions: [LabelRequirement] {
        requirements.map {
            LabelRequirement(source: $0.source, key: $0.key, operator: $0.operator, values: $0.values)
        }
    }
}
