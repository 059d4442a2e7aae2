import NetpoldTestSupport
import PolicyAPI

/// Objects that tests of changes are made of.
enum Fixtures {
    static func pod(_ namespace: String, _ name: String, _ address: String, app: String) -> Pod {
        Pod(
            metadata: ObjectMeta(name: name, namespace: namespace, labels: ["app": app]), nodeName: "node-1",
            addresses: RandomCluster.addresses(address))
    }

    static func label(_ key: String, _ value: String) -> LabelSelector {
        LabelSelector([LabelRequirement(key: key, operator: .isIn, values: [value])])
    }
}
