import { stringify } from "yaml";

/** A kind with everything that the tests need of one: a status, columns, a field to select by, lists of each type. */
export const TASK_DEFINITION = `
apiVersion: platform.entrepot.dev/v1
kind: ResourceDefinition
metadata:
  name: tasks.work.example.org
spec:
  group: work.example.org
  scope: Namespaced
  names: {kind: Task, plural: tasks, shortNames: [tk], categories: [work]}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          description: Something to be done.
          required: [spec]
          properties:
            spec:
              type: object
              description: What is to be done.
              required: [source]
              properties:
                source: {type: string, description: Where it is taken from., minLength: 1}
                parallel: {type: integer, minimum: 1, maximum: 16, default: 1}
                tags: {type: array, items: {type: string}}
                steps:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [name]
                  items:
                    type: object
                    required: [name]
                    properties:
                      name: {type: string}
                      run: {type: string}
            status:
              type: object
              properties:
                phase: {type: string}
                conditions:
                  type: array
                  items:
                    type: object
                    required: [type, status]
                    properties:
                      type: {type: string}
                      status: {type: string}
      subresources: {status: {}}
      selectableFields: [{jsonPath: .spec.source}]
      additionalPrinterColumns:
        - {name: Source, type: string, jsonPath: .spec.source}
        - {name: Phase, type: string, jsonPath: .status.phase}
        - {name: Parallel, type: integer, jsonPath: .spec.parallel, priority: 1}
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
`;

/** Path of the tasks of a namespace. */
export function tasksPath(namespace = "team"): string {
  return `/apis/work.example.org/v1/namespaces/${namespace}/tasks`;
}

/** What may be given of a task besides its name. */
export interface TaskOptions {
  readonly source?: string;
  /** Further metadata, such as labels. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

export function task(name: string, { source = "here", metadata, spec }: TaskOptions = {}): Record<string, unknown> {
  return {
    apiVersion: "work.example.org/v1",
    kind: "Task",
    metadata: { name, ...metadata },
    spec: { source, ...spec },
  };
}

/** The text of a file for kubectl, which reads YAML 1.1: a document for each object. */
export function taskFile(...tasks: readonly Record<string, unknown>[]): string {
  return tasks.map((each) => stringify(each, { version: "1.1" })).join("---\n");
}
